import type { Endpoint, Service, ServicePort, Workload } from '../model.ts';
import type { ServiceObject, WorkloadObject } from './schema.ts';

/** Turns the objects of a registry's files into the mesh's own. @param cluster names the registry */
export function assembleRegistry(
  cluster: string,
  objects: { readonly workloads: readonly WorkloadObject[]; readonly services: readonly ServiceObject[] },
): { readonly workloads: readonly Workload[]; readonly services: readonly Service[] } {
  const workloads = objects.workloads.map((object) => toWorkload(cluster, object));
  return { workloads, services: objects.services.map((object) => toService(object, workloads)) };
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

function toService({ metadata, spec }: ServiceObject, workloads: readonly Workload[]): Service {
  const { namespace, name } = metadata;
  const selected = workloads.filter((workload) => isSelected(workload, namespace, spec.selector));
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

function isSelected(
  workload: Workload,
  namespace: string,
  selector: Readonly<Record<string, string>> | undefined,
): boolean {
  return (
    selector !== undefined &&
    workload.namespace === namespace &&
    Object.entries(selector).every(([key, value]) => workload.labels[key] === value)
  );
}
