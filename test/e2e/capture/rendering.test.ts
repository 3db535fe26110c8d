import { describe, expect, test } from 'vitest';
import { hasPart, waitFor } from '../../parts/index.ts';
import { startTestMesh } from '../../support/mesh.ts';

const registry = `
apiVersion: citadel.dev/v1
kind: Workload
metadata: {namespace: shop, name: orders-1, labels: {app: orders}}
spec:
  serviceAccount: orders
  addresses: [127.0.0.1, "::1"]
  proxy: capture
  ports:
    - {port: 8080}
    - {port: 8081, protocol: http2}
    - {port: 8082, protocol: tcp}
---
apiVersion: citadel.dev/v1
kind: Service
metadata: {namespace: shop, name: orders}
spec:
  addresses: [10.96.0.10, "fd00:96::10"]
  ports: [{port: 80, targetPort: 8080}, {port: 5432, targetPort: 8082, protocol: tcp}]
  selector: {app: orders}
---
apiVersion: citadel.dev/v1
kind: Service
metadata: {namespace: shop, name: same-address}
spec:
  addresses: [10.96.0.10]
  ports: [{port: 80, targetPort: 8080}]
  selector: {app: orders}
---
apiVersion: citadel.dev/v1
kind: Service
metadata: {namespace: shop, name: headless}
spec:
  ports: [{port: 8080}, {port: 8081, protocol: http2}, {port: 8082, protocol: tcp}]
  selector: {app: orders}
---
apiVersion: citadel.dev/v1
kind: Service
metadata: {namespace: shop, name: headless-too}
spec:
  hosts: [headless.shop, other.shop]
  ports: [{port: 8080}, {port: 8082, protocol: tcp}]
  selector: {app: orders}
`;

const peers = (mode: string) => `
apiVersion: security.istio.io/v1
kind: PeerAuthentication
metadata: {namespace: shop, name: default}
spec:
  selector: {matchLabels: {app: orders}}
  mtls: {mode: ${mode}}
  portLevelMtls: {"9090": {mode: DISABLE}, "8081": {mode: PERMISSIVE}}
`;

describe.skipIf(!hasPart('envoy'))('a real Envoy', () => {
  test('takes what is rendered for capture, in each mode', async () => {
    await using mesh = await startTestMesh({
      registry: { 'shop.yaml': registry, 'peers.yaml': peers('PERMISSIVE') },
    });
    const orders = await mesh.startWorkload('orders-1', 'orders');
    const accepted = () =>
      mesh.server.app.controlPlane
        ?.proxies()
        .every(({ resources }) =>
          resources.every(({ accepted: has, wanted, error }) => has === wanted && error === undefined),
        );
    const chains = async () => {
      const { body } = await orders.admin('/config_dump?resource=dynamic_listeners');
      return [
        ...new Set(
          [...body.matchAll(/"name": "(inbound\/[^"]+\/(?:mutual|tls|plain)[^"]*)"/g)].map(
            ([, name]) => name,
          ),
        ),
      ];
    };
    await waitFor(accepted, { what: 'all to be accepted' });
    expect(await chains()).toEqual([
      'inbound/8080/mutual-tls',
      'inbound/8080/tls-passthrough',
      'inbound/8080/plaintext',
      'inbound/8081/mutual-tls',
      'inbound/8081/tls-passthrough',
      'inbound/8081/plaintext',
      'inbound/8082/mutual-tls',
      'inbound/8082/tls-passthrough',
      'inbound/8082/plaintext',
      'inbound/9090/tls-passthrough',
      'inbound/9090/plaintext',
      'inbound/other/mutual-tls',
      'inbound/other/tls-passthrough',
      'inbound/other/plaintext',
    ]);
    const routes = await orders.admin('/config_dump?resource=dynamic_route_configs');
    expect(
      [...routes.body.matchAll(/"name": "(outbound\/\d+)"/g)]
        .map(([, name = '']) => name)
        .toSorted((a, b) => a.localeCompare(b)),
    ).toEqual(['outbound/8080', 'outbound/8081']);

    await mesh.write('peers.yaml', peers('STRICT'));
    await waitFor(async () => (await chains()).includes('inbound/other/mutual-tls-other'), {
      what: 'STRICT',
    });
    await waitFor(accepted, { what: 'STRICT to be accepted' });
    const strict = (await chains()).filter((name) => name?.endsWith('plaintext'));
    expect(strict).toEqual(['inbound/8081/plaintext', 'inbound/9090/plaintext']);
    const stats = await orders.stats(
      '^listener_manager\\.(lds\\.update_rejected|listener_create_failure|listener_in_place_updated)$',
    );
    expect(stats).toEqual({
      'listener_manager.lds.update_rejected': 0,
      'listener_manager.listener_create_failure': 0,
      'listener_manager.listener_in_place_updated': 1,
    });
  });
});
