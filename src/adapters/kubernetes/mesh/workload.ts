import { type AppProtocol, type ProxyMode, toWorkload, type Workload } from '../../../domain/mesh/index.ts';
import type { MeshPod } from './pod.ts';

export interface WorkloadContext {
  readonly cluster: string;
  /** What the namespace says of its pods. */
  readonly namespaceProxy: ProxyMode | undefined;
  /** What services say of the pod's ports. */
  readonly served: ReadonlyMap<number, AppProtocol>;
}

/**
 * A pod as a workload. Its id is `<cluster>/<namespace>/<pod>`, and certificates are issued to it by its UID. Ports are
 * those of the annotation; without it those that services send to, with the service's protocol as in Istio, and those
 * that its containers name.
 */
export function podWorkload(pod: MeshPod, { cluster, namespaceProxy, served }: WorkloadContext): Workload {
  const workload = toWorkload(cluster, pod.object);
  const proxy = proxyOf(pod, namespaceProxy);
  const named = { ...workload, proxyKey: `pod:${cluster}/${pod.uid}`, proxy };
  if (pod.portsDeclared) return named;
  const protocols = new Map<number, AppProtocol>(
    pod.containerPorts.map(({ port, protocol }) => [port, protocol]),
  );
  for (const [port, protocol] of served) protocols.set(port, protocol);
  // Captured traffic goes on to where it was sent to, so that what listens on loopback alone stays unreachable; beside
  // an explicit listener the application must be elsewhere.
  const address = proxy === 'capture' ? (workload.addresses[0] ?? '127.0.0.1') : '127.0.0.1';
  const ports = [...protocols]
    .toSorted(([a], [b]) => a - b)
    .map(([port, protocol]) => ({ port, protocol, application: { address, port } }));
  return { ...named, ports };
}

/** The pod's own word, then its namespace's, then what is seen. None shares the host's network but by its own word. */
function proxyOf(pod: MeshPod, namespaceProxy: ProxyMode | undefined): ProxyMode {
  if (pod.hostNetwork) return pod.proxy === 'explicit' ? 'explicit' : 'none';
  return pod.proxy ?? namespaceProxy ?? (pod.sidecar ? 'capture' : 'none');
}
