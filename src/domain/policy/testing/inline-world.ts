import type { YamlPath } from '../../../yaml/index.ts';
import type { Endpoint, Service, Workload } from '../../mesh/index.ts';
import type { PolicyWorld } from '../world/index.ts';
import type { TestSettings } from './model.ts';
import type { TestSpec } from './schema.ts';

type Refuse = (path: YamlPath, message: string, mend?: string) => void;

/** Of an endpoint whose workload names no address: of TEST-NET-1 (RFC 5737), as no real one is. */
const nowhere = '192.0.2.2';

/**
 * The world that a test describes itself. @param refuse is told what is wrong, by its path within the spec
 */
export function inlineWorld(
  spec: TestSpec,
  settings: TestSettings,
  namespace: string | undefined,
  refuse: Refuse,
): PolicyWorld {
  const namespaceOf = (own: string | undefined, path: YamlPath): string => {
    const found = own ?? namespace;
    if (found === undefined)
      refuse(path, 'is without a namespace', 'write it here, or in metadata.namespace');
    return found ?? '';
  };
  const workloads = new Map<string, Workload>();
  for (const [index, given] of (spec.workloads ?? []).entries()) {
    const path = ['workloads', index];
    const workload = toWorkload(given, namespaceOf(given.namespace, path));
    if (workloads.has(workload.id)) refuse([...path, 'name'], 'is there already');
    workloads.set(workload.id, workload);
  }
  const services = new Map<string, Service>();
  for (const [index, given] of (spec.services ?? []).entries()) {
    const path = ['services', index];
    const service = toService(given, namespaceOf(given.namespace, path), [...workloads.values()]);
    if (services.has(service.id)) refuse([...path, 'name'], 'is there already');
    services.set(service.id, service);
  }
  for (const service of ofTheirOwn(workloads, services)) services.set(service.id, service);
  const { trustDomain, trustDomainAliases, rootNamespace, providers } = settings;
  return {
    settings: {
      trustDomain,
      trustDomainAliases,
      rootNamespace,
      authorizationProviders: providers.map((name) => ({ name })),
    },
    workloads,
    services,
    policies: [],
    strict: new Set(),
  };
}

function toWorkload(given: NonNullable<TestSpec['workloads']>[number], namespace: string): Workload {
  const { name, serviceAccount = name, labels = { app: name }, addresses, proxy = 'explicit' } = given;
  return {
    id: `test/${namespace}/${name}`,
    namespace,
    name,
    serviceAccount,
    labels,
    proxy,
    addresses: addresses ?? [],
    proxyKey: undefined,
    ports: (given.ports ?? [{ port: 8080 }]).map(({ port, protocol = 'http' }) => ({
      port,
      protocol,
      application: { address: '127.0.0.1', port },
    })),
    egress: [],
  };
}

function toService(
  given: NonNullable<TestSpec['services']>[number],
  namespace: string,
  workloads: readonly Workload[],
): Service {
  const { name, selector, hosts = [`${name}.${namespace}`] } = given;
  const selected = workloads.filter(
    (workload) =>
      workload.namespace === namespace &&
      Object.entries(selector).every(([key, value]) => workload.labels[key] === value),
  );
  return {
    id: `${namespace}/${name}`,
    namespace,
    name,
    hosts,
    addresses: [],
    ports: given.ports.map(({ port, protocol = 'http', targetPort = port }) => ({
      port,
      protocol,
      name: '',
      endpoints: selected.map(
        ({ id, addresses: [address = nowhere] }): Endpoint => ({
          address,
          port: targetPort,
          workload: id,
        }),
      ),
    })),
  };
}

/** Callers' proxies know services alone: a workload that a test puts behind none is behind one of its own name. */
function ofTheirOwn(
  workloads: ReadonlyMap<string, Workload>,
  services: ReadonlyMap<string, Service>,
): readonly Service[] {
  const known = new Set(
    [...services.values()].flatMap(({ ports }) =>
      ports.flatMap(({ endpoints }) => endpoints.map(({ workload }) => workload)),
    ),
  );
  return [...workloads.values()].flatMap(({ id, namespace, name, addresses: [address = nowhere], ports }) =>
    known.has(id) || services.has(`${namespace}/${name}`)
      ? []
      : [
          {
            id: `${namespace}/${name}`,
            namespace,
            name,
            hosts: [`${name}.${namespace}`],
            addresses: [],
            ports: ports.map(({ port, protocol }) => ({
              port,
              protocol,
              name: '',
              endpoints: [{ address, port, workload: id }],
            })),
          },
        ],
  );
}
