import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { freePort, waitFor } from '../../test/parts/index.ts';
import { createApplication } from '../../test/support/http-application.ts';
import { call } from './call.ts';
import { say, step } from './say.ts';
import type { World } from './world.ts';

export interface PolicedShop {
  /** On which the shop calls orders, through its proxy. */
  readonly shopPort: number;
}

/** The same again without a line of Envoy's configuration: proxies that the control plane configures, and policies. */
export async function showControlPlane(
  world: World,
  stack: AsyncDisposableStack,
  signal: AbortSignal,
): Promise<PolicedShop> {
  step('7. The control plane: two more workloads, whose Envoys have everything from the server');
  const application = createApplication((request, response) =>
    response.end(`order ${request.url?.split('/').at(-1)}`),
  );
  await new Promise<void>((resolve) => application.listen(0, '127.0.0.1', resolve));
  stack.defer(() => void application.close());
  const address = application.address();
  if (address === null || typeof address === 'string') throw new Error('the application has no port');
  const [ordersPort, shopPort] = await Promise.all([freePort(), freePort()]);
  await world.writeRegistry('shop.yaml', registry(ordersPort, address.port, shopPort));
  await world.startFollower('orders-1', 'orders', [ordersPort]);
  await world.startFollower('shop-1', 'shop', [shopPort]);
  const orders = () => call(shopPort, '/orders/42');
  const admin = () => call(shopPort, '/admin');
  const plaintext = () =>
    call(ordersPort, '/orders/42').then(
      ({ status }) => String(status),
      () => 'refused',
    );
  say(`   shop -> orders, by mutual TLS   GET /orders/42  ${(await orders()).status}`);
  say(`                                   GET /admin      ${(await admin()).status}`);
  say(`   a caller in plaintext           GET /orders/42  ${await plaintext()}`);

  step('8. A policy, applied live: nobody calls /admin');
  const policy = join(world.directory, 'deny-admin.yaml');
  await writeFile(policy, denyAdmin);
  say(`   ${denyAdmin.trimEnd().replaceAll('\n', '\n   ')}`);
  const applied = await world.operator('policy', 'apply', policy, '--yes', '--reason', 'the quickstart');
  say(`   citadel policy apply: ${applied.trim()}`);
  // Each of an Envoy's workers takes a change for itself.
  const isHeld = async () => {
    for (let count = 0; count < 16; count += 1) if ((await admin()).status !== 403) return false;
    return true;
  };
  await waitFor(isHeld, { what: 'the policy to hold', signal });
  say(`   shop -> orders, by mutual TLS   GET /orders/42  ${(await orders()).status}`);
  say(`                                   GET /admin      ${(await admin()).status}`);

  step('9. Strict mutual TLS: plaintext is refused, callers by mutual TLS notice nothing');
  const strict = join(world.directory, 'strict.yaml');
  await writeFile(strict, strictPeers);
  await world.operator('policy', 'apply', strict, '--yes', '--reason', 'the quickstart');
  await waitFor(async () => (await plaintext()) === 'refused', { what: 'plaintext to be refused', signal });
  say(`   shop -> orders, by mutual TLS   GET /orders/42  ${(await orders()).status}`);
  say(`   a caller in plaintext           GET /orders/42  ${await plaintext()}`);
  for (const line of (await world.operator('policy', 'status')).trimEnd().split('\n')) say(`   ${line}`);
  return { shopPort };
}

const denyAdmin = `apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata:
  name: deny-admin
  namespace: shop
spec:
  selector:
    matchLabels:
      app: orders
  action: DENY
  rules:
    - to:
        - operation:
            paths: ["/admin*"]
`;

const strictPeers = `apiVersion: security.istio.io/v1
kind: PeerAuthentication
metadata:
  name: default
  namespace: shop
spec:
  mtls:
    mode: STRICT
`;

const registry = (ordersPort: number, application: number, shopPort: number) => `apiVersion: citadel.dev/v1
kind: Workload
metadata: {namespace: shop, name: orders-1, labels: {app: orders}}
spec:
  serviceAccount: orders
  addresses: [127.0.0.1]
  ports: [{port: ${ordersPort}, application: "127.0.0.1:${application}"}]
---
apiVersion: citadel.dev/v1
kind: Workload
metadata: {namespace: shop, name: shop-1}
spec:
  serviceAccount: shop
  addresses: [127.0.0.1]
  egress: [{listen: "127.0.0.1:${shopPort}", service: shop/orders, port: 80}]
---
apiVersion: citadel.dev/v1
kind: Service
metadata: {namespace: shop, name: orders}
spec:
  ports: [{port: 80, targetPort: ${ordersPort}}]
  selector: {app: orders}
`;
