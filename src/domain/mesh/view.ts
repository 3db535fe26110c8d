import { forWorkload, TrustDomain } from '@citadel/spiffe';
import { sameMembers, sharedLists } from '../../kernel/index.ts';
import {
  enforcedMode,
  indexPolicies,
  type MutualTlsMode,
  mutualTlsModeOf,
  nobodyMayCall,
  type Policy,
  policiesByWorkload as policiesOfAll,
} from '../policy/index.ts';
import type { TrustBundleSnapshot } from '../trust/index.ts';
import { areTooMuch } from './bounded-policies.ts';
import type {
  EgressListener,
  Endpoint,
  KeySetTexts,
  MeshSettings,
  MeshSnapshot,
  Service,
  ServicePort,
  Trial,
  Workload,
  WorkloadPort,
} from './model.ts';
import { type Shadows, shadowsOf } from './shadows.ts';
import { keySetsOf } from './snapshot.ts';
import { undeclaredPorts } from './undeclared.ts';

/** What one proxy is configured from: of the whole mesh, the part that concerns it. */
export interface ProxyView {
  readonly settings: MeshSettings;
  readonly workload: Workload;
  readonly inbound: readonly InboundPort[];
  /** Whether an operator made it strict. */
  readonly strict: boolean;
  /** Of all kinds, those that hold for this workload; that nobody may call it, where these are too much for a proxy. */
  readonly policies: readonly Policy[];
  /** The fetched keys of these policies, and no others. */
  readonly keySets: KeySetTexts;
  /** What it may call; the same objects, and the same list, for all who may call the same. */
  readonly services: readonly ServiceView[];
  readonly egress: readonly EgressListener[];
  /** What would hold for it otherwise, if the change were made that is tried; absent where that is nothing else. */
  readonly shadow?: Trial | undefined;
  /** For whoever asks for them; the same list for all who get the same. */
  readonly bundles: readonly TrustBundleSnapshot[];
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
  /** The services once more, for those who may call each. */
  readonly everyService: readonly ServiceView[];
  readonly policiesByWorkload: ReadonlyMap<string, readonly Policy[]>;
  /** Of the lists of policies that want keys fetched; workloads that share a list share its keys. */
  readonly keySets: ReadonlyMap<readonly Policy[], KeySetTexts>;
  /** What would hold for the workloads for which the change that is tried decides otherwise. */
  readonly shadows: Shadows;
}

const noKeySets: KeySetTexts = new Map();
const noPolicies: readonly Policy[] = [];

/** Keeps the previous index's objects wherever nothing that they are made of has changed. */
export function indexMesh(snapshot: MeshSnapshot, previous?: MeshIndex): MeshIndex {
  const policiesByWorkload = policiesOfAll(
    indexPolicies(snapshot),
    snapshot.workloads.values(),
    previous?.policiesByWorkload,
  );
  const keySets = new Map<readonly Policy[], KeySetTexts>();
  for (const applying of new Set(policiesByWorkload.values())) {
    const keys = keySetsOf(applying, snapshot.keySets);
    if (keys.size === 0) continue;
    const before = previous?.keySets.get(applying);
    keySets.set(applying, before && sameKeySets(before, keys) ? before : keys);
  }
  const isAsBefore = unchanged({ snapshot, policiesByWorkload }, previous);
  const services = new Map<string, ServiceView>();
  for (const service of snapshot.services.values()) {
    const before = previous?.services.get(service.id);
    if (before?.service === service && service.ports.every(({ endpoints }) => endpoints.every(isAsBefore))) {
      services.set(service.id, before);
      continue;
    }
    const view = viewService(service, { snapshot, policiesByWorkload });
    services.set(service.id, before && sameService(before, view) ? before : view);
  }
  const all = [...services.values()];
  const everyService = previous && sameMembers(previous.everyService, all) ? previous.everyService : all;
  const shadows = shadowsOf(snapshot, policiesByWorkload, previous?.shadows);
  return { snapshot, policiesByWorkload, keySets, services, everyService, shadows };
}

type Holding = Pick<MeshIndex, 'snapshot' | 'policiesByWorkload'>;

/** Whether all that an endpoint's view is made of is the same as it was. */
function unchanged(now: Holding, before: Holding | undefined): (endpoint: Endpoint) => boolean {
  if (before?.snapshot.settings !== now.snapshot.settings) return () => false;
  return ({ workload }) =>
    workload === undefined ||
    (now.snapshot.workloads.get(workload) === before.snapshot.workloads.get(workload) &&
      now.policiesByWorkload.get(workload) === before.policiesByWorkload.get(workload));
}

function viewService(service: Service, { snapshot, policiesByWorkload }: Holding): ServiceView {
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
  const { snapshot, services, everyService, policiesByWorkload } = index;
  const workload = snapshot.workloads.get(workloadId);
  if (!workload) return undefined;
  const holding = policiesByWorkload.get(workloadId) ?? noPolicies;
  const policies = hasTooMuch(index, workload) ? nobodyMayCall(holding) : holding;
  const strict = snapshot.strict.has(workloadId);
  const modeOf = (port: number) => enforcedMode(mutualTlsModeOf(policies, port), strict);
  // A proxy asks the authorizers that policies may name, whether or not its workload calls them.
  const called = new Set([
    ...workload.egress.map(({ service }) => service),
    ...snapshot.settings.authorizationProviders.map(({ service }) => service),
  ]);
  const reachable =
    workload.proxy === 'capture'
      ? everyService
      : sharedCallees([...called].toSorted().flatMap((id) => services.get(id) ?? []));
  return {
    settings: snapshot.settings,
    workload,
    inbound: [
      ...workload.ports.map((port) => ({ port, mode: modeOf(port.port) })),
      ...undeclaredPorts(workload, policies, modeOf),
    ],
    strict,
    policies,
    keySets: index.keySets.get(holding) ?? noKeySets,
    shadow: shadowOf(index, workload),
    services: reachable,
    egress: workload.egress,
    bundles: snapshot.bundles,
  };
}

/** Undefined too where its proxy could not be told both: that nobody may call it must not come of a try. */
function shadowOf(index: MeshIndex, workload: Workload): Trial | undefined {
  const shadow = index.shadows.byWorkload.get(workload.id);
  return shadow && !hasTooMuch(index, workload, shadow.policies) ? shadow : undefined;
}

/** Whether a workload has more policies than its proxy could be told. @param more besides those that hold */
export function hasTooMuch(
  { policiesByWorkload, keySets }: MeshIndex,
  workload: Workload,
  more: readonly Policy[] = noPolicies,
): boolean {
  const policies = policiesByWorkload.get(workload.id) ?? noPolicies;
  const ports = workload.ports.length + undeclaredPorts(workload, policies, () => 'STRICT').length;
  return areTooMuch([...policies, ...more], keySets.get(policies) ?? noKeySets, ports);
}

const sharedCallees = sharedLists<ServiceView>();

/** Whether a proxy whose view was `a` needs nothing new for `b`. */
export function sameView(a: ProxyView, b: ProxyView): boolean {
  return (
    a.settings === b.settings &&
    a.workload === b.workload &&
    a.policies === b.policies &&
    a.strict === b.strict &&
    a.keySets === b.keySets &&
    a.shadow === b.shadow &&
    a.bundles === b.bundles &&
    sameMembers(a.services, b.services)
  );
}

function sameKeySets(a: KeySetTexts, b: KeySetTexts): boolean {
  return a.size === b.size && [...a].every(([id, jwks]) => b.get(id) === jwks);
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
