import { sameMembers } from '../../../kernel/index.ts';
import type { Endpoint, Service, ServicePort, Workload } from '../model.ts';
import type { ServiceObject, WorkloadObject } from './schema.ts';

interface Objects {
  readonly workloads: readonly WorkloadObject[];
  readonly services: readonly ServiceObject[];
}

interface Assembled {
  readonly workloads: readonly Workload[];
  readonly services: readonly Service[];
}

/**
 * Turns the objects of a registry's files into the mesh's own. What is made of the same objects as the last time is the
 * same object: nobody has to compare it again. @param cluster names the registry
 */
export function createRegistryAssembler(cluster: string): (objects: Objects) => Assembled {
  const made = new WeakMap<WorkloadObject, Workload>();
  const assembled = new WeakMap<ServiceObject, { selected: readonly Workload[]; service: Service }>();
  return (objects) => {
    const workloads = objects.workloads.map((object) => {
      const workload = made.get(object) ?? toWorkload(cluster, object);
      made.set(object, workload);
      return workload;
    });
    const select = selection(workloads);
    const services = objects.services.map((object) => {
      const selected = select(object);
      const before = assembled.get(object);
      if (before && sameMembers(before.selected, selected)) return before.service;
      const service = toService(object, selected);
      assembled.set(object, { selected, service });
      return service;
    });
    return { workloads, services };
  };
}

/** @param cluster names the registry: the first part of the workload’s id */
export function toWorkload(cluster: string, { metadata, spec }: WorkloadObject): Workload {
  return {
    id: `${cluster}/${metadata.namespace}/${metadata.name}`,
    namespace: metadata.namespace,
    name: metadata.name,
    serviceAccount: spec.serviceAccount,
    labels: metadata.labels,
    addresses: spec.addresses,
    proxy: spec.proxy,
    proxyKey: undefined,
    ports: spec.ports.map(({ port, protocol, application }) => ({
      port,
      protocol,
      application: application ?? { address: '127.0.0.1', port },
    })),
    egress: spec.egress.map(({ listen, service, port }) => ({
      address: listen.address,
      port: listen.port,
      service,
      servicePort: port,
    })),
  };
}

function toService({ metadata, spec }: ServiceObject, selected: readonly Workload[]): Service {
  const { namespace, name } = metadata;
  const ports = spec.ports.map(
    ({ port, name: portName, protocol, targetPort = port }): ServicePort => ({
      port,
      name: portName,
      protocol,
      endpoints: inOrder(
        spec.endpoints
          ? spec.endpoints.map((endpoint): Endpoint => ({ ...endpoint, workload: undefined }))
          : selected.flatMap(({ id, addresses: [address] }) =>
              address === undefined ? [] : [{ address, port: targetPort, workload: id }],
            ),
      ),
    }),
  );
  return {
    id: `${namespace}/${name}`,
    namespace,
    name,
    hosts: spec.hosts.length > 0 ? spec.hosts : [`${name}.${namespace}`],
    addresses: spec.addresses,
    ports,
  };
}

/** One order for whatever a source tells, so that the same endpoints are the same content. */
export function inOrder(endpoints: readonly Endpoint[]): readonly Endpoint[] {
  const key = ({ address, port, workload = '' }: Endpoint) => `${address} ${port} ${workload}`;
  return endpoints
    .map((endpoint) => ({ endpoint, key: key(endpoint) }))
    .toSorted((a, b) => (a.key < b.key ? -1 : 1))
    .map(({ endpoint }) => endpoint);
}

/** The workloads behind a service; they are looked up by one label, for most have nothing to do with it. */
function selection(workloads: readonly Workload[]): (service: ServiceObject) => readonly Workload[] {
  const byLabel = new Map<string, Workload[]>();
  const add = (key: string, workload: Workload) => {
    const known = byLabel.get(key);
    if (known) known.push(workload);
    else byLabel.set(key, [workload]);
  };
  for (const workload of workloads) {
    add(workload.namespace, workload);
    for (const [key, value] of Object.entries(workload.labels))
      add(`${workload.namespace} ${key} ${value}`, workload);
  }
  return ({ metadata: { namespace }, spec: { selector } }) => {
    if (!selector) return [];
    const [first, ...others] = Object.entries(selector);
    const candidates = byLabel.get(first ? `${namespace} ${first[0]} ${first[1]}` : namespace) ?? [];
    return candidates.filter(({ labels }) => others.every(([key, value]) => labels[key] === value));
  };
}
