import { forWorkload, TrustDomain } from '@citadel/spiffe';
import {
  indexPolicies,
  type MutualTlsMode,
  mutualTlsModeOf,
  type Policy,
  policiesOf,
} from '../policy/index.ts';
import type {
  EgressListener,
  MeshSettings,
  MeshSnapshot,
  Service,
  ServicePort,
  Workload,
  WorkloadPort,
} from './model.ts';
import { undeclaredPorts } from './undeclared.ts';

/** What one proxy is configured from: of the whole mesh, the part that concerns it. */
export interface ProxyView {
  readonly settings: MeshSettings;
  readonly workload: Workload;
  readonly inbound: readonly InboundPort[];
  /** Of all kinds, those that hold for this workload. */
  readonly policies: readonly Policy[];
  /** What it may call; the same object for all who may call it. */
  readonly services: readonly ServiceView[];
  readonly egress: readonly EgressListener[];
}

export interface InboundPort {
  readonly port: Pick<WorkloadPort, 'port' | 'protocol'> & {
    /** Undefined for a port that no registry declares: wherever the caller wanted to go. */
    readonly application: WorkloadPort['application'] | undefined;
  };
  readonly mode: Exclude<MutualTlsMode, 'UNSET'>;
}

/** A service as its callers see it. */
export interface ServiceView {
  readonly service: Service;
  readonly ports: readonly ServicePortView[];
}

export interface ServicePortView {
  readonly port: ServicePort;
  readonly endpoints: readonly EndpointView[];
  /** Every SPIFFE ID that an endpoint with mutual TLS may have, sorted. */
  readonly spiffeIds: readonly string[];
}

export interface EndpointView {
  readonly address: string;
  readonly port: number;
  /** All of the workload's, the first among them: callers that choose an endpoint themselves may use any. */
  readonly addresses: readonly string[];
  /** Whether it is called by mutual TLS: a proxy stands beside it and takes it on this port. */
  readonly mutualTls: boolean;
}

/** What is worked out once for a snapshot, for all proxies. */
export interface MeshIndex {
  readonly snapshot: MeshSnapshot;
  readonly services: ReadonlyMap<string, ServiceView>;
  readonly policiesByWorkload: ReadonlyMap<string, readonly Policy[]>;
}

/** Keeps the previous index's objects wherever nothing that they are made of has changed. */
export function indexMesh(snapshot: MeshSnapshot, previous?: MeshIndex): MeshIndex {
  const policies = indexPolicies(snapshot);
  const policiesByWorkload = new Map<string, readonly Policy[]>();
  for (const workload of snapshot.workloads.values()) {
    const applying = policiesOf(policies, workload);
    const before = previous?.policiesByWorkload.get(workload.id);
    policiesByWorkload.set(workload.id, before && sameMembers(before, applying) ? before : applying);
  }
  const index = { snapshot, policiesByWorkload };
  const services = new Map<string, ServiceView>();
  for (const service of snapshot.services.values()) {
    const before = previous?.services.get(service.id);
    const view = viewService(service, index);
    services.set(service.id, before && sameService(before, view) ? before : view);
  }
  return { ...index, services };
}

function viewService(
  service: Service,
  { snapshot, policiesByWorkload }: Omit<MeshIndex, 'services'>,
): ServiceView {
  const domains = [snapshot.settings.trustDomain, ...snapshot.settings.trustDomainAliases].map((name) =>
    TrustDomain.parse(name),
  );
  const ports = service.ports.map((port): ServicePortView => {
    const ids = new Set<string>();
    const endpoints = port.endpoints.map((endpoint): EndpointView => {
      const workload =
        endpoint.workload === undefined ? undefined : snapshot.workloads.get(endpoint.workload);
      const mutualTls =
        workload !== undefined &&
        workload.proxy !== 'none' &&
        mutualTlsModeOf(policiesByWorkload.get(workload.id) ?? [], endpoint.port) !== 'DISABLE';
      if (mutualTls) {
        for (const domain of domains)
          ids.add(forWorkload(domain, workload.namespace, workload.serviceAccount).toString());
      }
      const { address, port: number } = endpoint;
      const addresses = [...new Set([address, ...(workload?.addresses ?? [])])];
      return { address, port: number, addresses, mutualTls };
    });
    return { port, endpoints, spiffeIds: [...ids].toSorted() };
  });
  return { service, ports };
}

/** @returns undefined when the workload is no longer there */
export function viewOf(index: MeshIndex, workloadId: string): ProxyView | undefined {
  const { snapshot, services, policiesByWorkload } = index;
  const workload = snapshot.workloads.get(workloadId);
  if (!workload) return undefined;
  const policies = policiesByWorkload.get(workloadId) ?? [];
  // A proxy asks the authorizers that policies may name, whether or not its workload calls them.
  const called = new Set([
    ...workload.egress.map(({ service }) => service),
    ...snapshot.settings.authorizationProviders.map(({ service }) => service),
  ]);
  const reachable =
    workload.proxy === 'capture'
      ? [...services.values()]
      : [...called].toSorted().flatMap((id) => services.get(id) ?? []);
  return {
    settings: snapshot.settings,
    workload,
    inbound: [
      ...workload.ports.map((port) => ({ port, mode: mutualTlsModeOf(policies, port.port) })),
      ...undeclaredPorts(workload, policies),
    ],
    policies,
    services: reachable,
    egress: workload.egress,
  };
}

/** Whether a proxy whose view was `a` needs nothing new for `b`. */
export function sameView(a: ProxyView, b: ProxyView): boolean {
  return (
    a.settings === b.settings &&
    a.workload === b.workload &&
    a.policies === b.policies &&
    sameMembers(a.services, b.services)
  );
}

function sameMembers<T>(a: readonly T[], b: readonly T[]): boolean {
  return a.length === b.length && a.every((each, index) => each === b[index]);
}

function sameService(a: ServiceView, b: ServiceView): boolean {
  return (
    a.service === b.service &&
    a.ports.every((port, at) => {
      const other = b.ports[at];
      return (
        other !== undefined &&
        sameMembers(port.spiffeIds, other.spiffeIds) &&
        port.endpoints.every(({ mutualTls, addresses }, index) => {
          const endpoint = other.endpoints[index];
          return (
            endpoint !== undefined &&
            mutualTls === endpoint.mutualTls &&
            sameMembers(addresses, endpoint.addresses)
          );
        })
      );
    })
  );
}
