import type { AppProtocol, ProxyMode, Service, Workload } from '../../../domain/mesh/index.ts';
import type { Policy } from '../../../domain/policy/index.ts';
import type { MeshContent } from '../../../domain/ports/index.ts';
import type { SliceRecord } from './endpoint-slice.ts';
import { endpointsOf, podOf, servedPorts, slicesByService, slicesOf } from './endpoints.ts';
import { Memo } from './memo.ts';
import type { MeshPod } from './pod.ts';
import { hostsOf, type ServiceRecord } from './service.ts';
import { podWorkload } from './workload.ts';

/** Each by `<namespace>/<name>`, namespaces by their name. */
export interface ClusterObjects {
  readonly pods: ReadonlyMap<string, MeshPod>;
  readonly services: ReadonlyMap<string, ServiceRecord>;
  readonly slices: ReadonlyMap<string, SliceRecord>;
  readonly namespaces: ReadonlyMap<string, ProxyMode>;
  readonly policies: readonly Policy[];
}

const nothing: ReadonlyMap<number, AppProtocol> = new Map();

/**
 * Makes the mesh's content of a cluster's objects, again and again: what nothing happened to is the very object that it
 * was, so that neither its hash nor a proxy's configuration is worked out anew.
 */
export function createAssembler(
  cluster: string,
  clusterDomain: string,
): (objects: ClusterObjects) => MeshContent {
  const workloadMemo = new Memo<Workload>();
  const serviceMemo = new Memo<Service>();
  return ({ pods, services, slices, namespaces, policies }) => {
    const grouped = slicesByService(slices.values());
    const all = [...services]
      .toSorted(([a], [b]) => (a < b ? -1 : 1))
      .map(([id, record]) => ({ id, record, slices: slicesOf(record, grouped.get(id)) }));
    const served = servedPorts(all);
    const content: MeshContent = {
      workloads: [...pods].map(([key, pod]) => {
        const namespaceProxy = namespaces.get(pod.object.metadata.namespace);
        const ports = served.get(key) ?? nothing;
        const inputs = [pod, namespaceProxy, ...[...ports].flat()];
        return workloadMemo.get(key, inputs, () =>
          podWorkload(pod, { cluster, namespaceProxy, served: ports }),
        );
      }),
      services: all.map(({ id, record, slices: own }) => {
        const there = own.flatMap(({ endpoints }) => endpoints.map((each) => isThere(podOf(each, pods))));
        return serviceMemo.get(id, [record, ...own, ...there], () => ({
          id,
          namespace: record.namespace,
          name: record.name,
          hosts: hostsOf(record, clusterDomain),
          addresses: record.addresses,
          ports: record.ports.map(({ port, name, protocol }) => ({
            port,
            name,
            protocol,
            endpoints: endpointsOf(name, own, pods, cluster),
          })),
        }));
      }),
      policies,
    };
    workloadMemo.next();
    serviceMemo.next();
    return content;
  };
}

const isThere = (pod: ReturnType<typeof podOf>): boolean => pod !== undefined;
