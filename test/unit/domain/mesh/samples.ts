import type { MeshSettings, Service, Workload } from '../../../../src/domain/mesh/index.ts';
import type { PeerAuthentication, Policy } from '../../../../src/domain/policy/index.ts';
import type { ConnectedProxy, MeshContent } from '../../../../src/domain/ports/index.ts';
import { meshSettings } from '../../../fakes/mesh-settings.ts';

export const settings: MeshSettings = { ...meshSettings, rootNamespace: 'citadel-system' };

export function workload(name: string, over: Partial<Workload> = {}): Workload {
  return {
    id: `test/shop/${name}`,
    namespace: 'shop',
    name,
    serviceAccount: name,
    labels: { app: name },
    addresses: ['127.0.0.1'],
    proxy: 'explicit',
    proxyKey: undefined,
    ports: [{ port: 8080, protocol: 'http', application: { address: '127.0.0.1', port: 9080 } }],
    egress: [],
    ...over,
  };
}

/** A service of one port, 80, with these workloads behind it. */
export function service(name: string, ...workloads: readonly Workload[]): Service {
  return {
    id: `shop/${name}`,
    namespace: 'shop',
    name,
    hosts: [`${name}.shop.svc.cluster.local`],
    addresses: [],
    ports: [
      {
        port: 80,
        name: 'http',
        protocol: 'http',
        endpoints: workloads.map(({ id, addresses: [address = ''] }) => ({
          address,
          port: 8080,
          workload: id,
        })),
      },
    ],
  };
}

export function peerAuthentication(
  mode: PeerAuthentication['mode'],
  over: Partial<PeerAuthentication> & { readonly namespace?: string; readonly name?: string } = {},
): PeerAuthentication {
  const { namespace = 'shop', name = 'default', ...rest } = over;
  return {
    kind: 'PeerAuthentication',
    meta: { namespace, name, generation: 1, origin: { source: 'test' } },
    selector: undefined,
    mode,
    portLevel: new Map(),
    ...rest,
  };
}

export function content(
  workloads: readonly Workload[],
  services: readonly Service[] = [],
  policies: readonly Policy[] = [],
): MeshContent {
  return { workloads, services, policies };
}

export function connected(over: Partial<ConnectedProxy> = {}): ConnectedProxy {
  return {
    proxyKey: 'development:shop/web/web-1',
    spiffeId: 'spiffe://example.org/ns/shop/sa/web',
    svidSerial: '01',
    nodeId: 'node',
    nodeMetadata: {},
    ...over,
  };
}
