import { type AppProtocol, type Endpoint, inOrder } from '../../../domain/mesh/index.ts';
import type { SliceEndpoint, SliceRecord } from './endpoint-slice.ts';
import type { MeshPod } from './pod.ts';
import type { ServiceRecord } from './service.ts';

/** Each service's slices, by `<namespace>/<name>`. */
export function slicesByService(slices: Iterable<SliceRecord>): ReadonlyMap<string, readonly SliceRecord[]> {
  const grouped = new Map<string, SliceRecord[]>();
  for (const slice of slices) {
    const known = grouped.get(slice.service);
    if (known) known.push(slice);
    else grouped.set(slice.service, [slice]);
  }
  return grouped;
}

/**
 * Of a service with two address families those of its first, so that each pod is there once; of another family only
 * where the first has none.
 */
export function slicesOf(
  { family }: ServiceRecord,
  slices: readonly SliceRecord[] = [],
): readonly SliceRecord[] {
  const preferred = slices.filter((slice) => slice.family === family);
  return preferred.length > 0 ? preferred : slices;
}

/**
 * The pod behind an endpoint: `none` where it is no pod, undefined where it is one that is not there (any more, or yet).
 * Such an endpoint is not called: without its pod nobody knows that it takes mutual TLS, and it would be called in
 * plaintext for as long as one watch is ahead of the other.
 */
export function podOf(
  { pod }: SliceEndpoint,
  pods: ReadonlyMap<string, MeshPod>,
): { readonly key: string; readonly pod: MeshPod } | 'none' | undefined {
  if (pod === undefined) return 'none';
  const found = pods.get(pod.key);
  // The same name may by now be another pod's.
  return found && (pod.uid === undefined || pod.uid === found.uid) ? { key: pod.key, pod: found } : undefined;
}

/** Where one port of a service is served now. Slices may name an endpoint twice while they are rearranged. */
export function endpointsOf(
  portName: string,
  slices: readonly SliceRecord[],
  pods: ReadonlyMap<string, MeshPod>,
  cluster: string,
): readonly Endpoint[] {
  const found = new Map<string, Endpoint>();
  for (const { ports, endpoints } of slices) {
    for (const { port } of ports.filter(({ name }) => name === portName)) {
      for (const endpoint of endpoints.filter(({ ready }) => ready)) {
        const pod = podOf(endpoint, pods);
        if (pod === undefined) continue;
        const workload = pod === 'none' ? undefined : `${cluster}/${pod.key}`;
        found.set(`${endpoint.address} ${port}`, { address: endpoint.address, port, workload });
      }
    }
  }
  return inOrder([...found.values()]);
}

export type ServedPorts = ReadonlyMap<string, ReadonlyMap<number, AppProtocol>>;

/**
 * What services say of their pods' ports, ready or not. Where two say different things, one that says it expressly goes
 * before one that says nothing, and then the first by name.
 */
export function servedPorts(
  services: readonly { readonly record: ServiceRecord; readonly slices: readonly SliceRecord[] }[],
): ServedPorts {
  const served = new Map<string, Map<number, { protocol: AppProtocol; declared: boolean }>>();
  for (const { record, slices } of services) {
    for (const { name, protocol, declared } of record.ports) {
      for (const slice of slices) {
        for (const { port } of slice.ports.filter((each) => each.name === name)) {
          for (const { pod } of slice.endpoints) {
            if (!pod) continue;
            const ofPod =
              served.get(pod.key) ?? new Map<number, { protocol: AppProtocol; declared: boolean }>();
            served.set(pod.key, ofPod);
            const before = ofPod.get(port);
            if (!before || (declared && !before.declared)) ofPod.set(port, { protocol, declared });
          }
        }
      }
    }
  }
  return new Map(
    [...served].map(([pod, ports]) => [
      pod,
      new Map([...ports].map(([port, { protocol }]) => [port, protocol])),
    ]),
  );
}
