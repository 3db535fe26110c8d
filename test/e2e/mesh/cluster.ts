import { networkInterfaces } from 'node:os';
import { z } from 'zod';
import type { KubeApi } from '../../parts/index.ts';

/** An address of this machine that an EndpointSlice may name: Kubernetes refuses those of loopback. */
export const hostAddress = Object.values(networkInterfaces())
  .flatMap((each) => each ?? [])
  .find(({ family, internal }) => family === 'IPv4' && !internal)?.address;

const stored = z.object({ metadata: z.object({ uid: z.string() }) });

export interface RunningPod {
  readonly name: string;
  readonly uid: string;
  /** As the kubelet projects it into the pod. */
  readonly token: string;
}

/** A pod with an address, as a kubelet would have reported it. Nothing runs it. */
export async function runPod(
  kube: KubeApi,
  namespace: string,
  name: string,
  serviceAccountName: string,
  annotations: Readonly<Record<string, string>>,
): Promise<RunningPod> {
  const path = `/api/v1/namespaces/${namespace}/pods`;
  const containers = [{ name: 'main', image: 'example.invalid/none' }];
  const spec = { serviceAccountName, nodeName: 'node-1', containers };
  const object = { metadata: { name, labels: { app: serviceAccountName }, annotations }, spec };
  const { uid } = stored.parse(await kube.request('POST', path, object)).metadata;
  const podIPs = [{ ip: hostAddress }];
  await kube.request(
    'PATCH',
    `${path}/${name}/status`,
    { status: { phase: 'Running', podIP: hostAddress, podIPs } },
    { contentType: 'application/merge-patch+json' },
  );
  const token = await kube.createToken(namespace, serviceAccountName, {
    audiences: ['istio-ca'],
    boundPod: { name, uid },
  });
  return { name, uid, token };
}

/** The service’s one slice, as its controller would write it. */
export async function writeSlice(
  kube: KubeApi,
  namespace: string,
  service: string,
  port: number,
  pods: readonly RunningPod[],
): Promise<void> {
  const slice = {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: {
      name: `${service}-1`,
      namespace,
      labels: { 'kubernetes.io/service-name': service },
    },
    addressType: 'IPv4',
    ports: [{ name: 'http', port, protocol: 'TCP' }],
    endpoints: pods.map(({ name, uid }) => ({
      addresses: [hostAddress],
      conditions: { ready: true, serving: true, terminating: false },
      targetRef: { kind: 'Pod', namespace, name, uid },
    })),
  };
  await kube.apply(JSON.stringify(slice));
}
