import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { freePort, waitFor } from '../../test/parts/index.ts';
import { createApplication } from '../../test/support/http-application.ts';
import { call } from './call.ts';
import { say, step } from './say.ts';
import type { World } from './world.ts';

/** Ports on this machine. */
export interface PolicedShop {
  /** On which web calls orders, through its proxy. */
  readonly web: number;
  /** The same of cron. */
  readonly cron: number;
  /** On which orders itself is called, by who has no proxy. */
  readonly orders: number;
}

/** The same again without a line of Envoy's configuration: proxies that the control plane configures, and policies. */
export async function showControlPlane(
  world: World,
  stack: AsyncDisposableStack,
  signal: AbortSignal,
): Promise<PolicedShop> {
  step('7. The control plane: three more workloads, whose Envoys have everything from the server');
  const application = createApplication((request, response) =>
    response.end(`order ${request.url?.split('/').at(-1)}`),
  );
  await new Promise<void>((resolve) => application.listen(0, '127.0.0.1', resolve));
  stack.defer(() => void application.close());
  const address = application.address();
  if (address === null || typeof address === 'string') throw new Error('the application has no port');
  const [orders, web, cron] = await Promise.all([freePort(), freePort(), freePort()]);
  const callers = { web, cron };
  await world.writeRegistry('shop.yaml', registry(orders, address.port, callers));
  await Promise.all([
    world.startFollower('orders-1', 'orders', [orders]),
    ...Object.entries(callers).map(([name, port]) => world.startFollower(`${name}-1`, name, [port])),
  ]);
  const read = () => call(web, '/orders/42');
  const admin = () => call(web, '/admin');
  const plaintext = () =>
    call(orders, '/orders/42').then(
      ({ status }) => String(status),
      () => 'refused',
    );
  say(`   web -> orders, by mutual TLS    GET /orders/42  ${(await read()).status}`);
  say(`                                   GET /admin      ${(await admin()).status}`);
  say(`   a caller in plaintext           GET /orders/42  ${await plaintext()}`);

  step('8. A policy, applied live: web reads orders, and nobody does anything else');
  const policy = join(world.directory, 'orders.yaml');
  await writeFile(policy, webReads);
  say(`   ${webReads.trimEnd().replaceAll('\n', '\n   ')}`);
  const applied = await world.operator('policy', 'apply', policy, '--yes', '--reason', 'the quickstart');
  say(`   citadel policy apply: ${applied.trim()}`);
  // Each of an Envoy's workers takes a change for itself.
  const isHeld = async () => {
    for (let count = 0; count < 16; count += 1) if ((await admin()).status !== 403) return false;
    return true;
  };
  await waitFor(isHeld, { what: 'the policy to hold', signal });
  say(`   web -> orders, by mutual TLS    GET /orders/42  ${(await read()).status}`);
  say(`                                   GET /admin      ${(await admin()).status}`);

  step('9. Strict mutual TLS: plaintext is refused, callers by mutual TLS notice nothing');
  const strict = join(world.directory, 'strict.yaml');
  await writeFile(strict, strictPeers);
  await world.operator('policy', 'apply', strict, '--yes', '--reason', 'the quickstart');
  await waitFor(async () => (await plaintext()) === 'refused', { what: 'plaintext to be refused', signal });
  say(`   web -> orders, by mutual TLS    GET /orders/42  ${(await read()).status}`);
  say(`   a caller in plaintext           GET /orders/42  ${await plaintext()}`);
  for (const line of (await world.operator('policy', 'status')).trimEnd().split('\n')) say(`   ${line}`);
  return { web, cron, orders };
}

const webReads = `apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata:
  name: orders
  namespace: shop
spec:
  selector:
    matchLabels:
      app: orders
  action: ALLOW
  rules:
    - from:
        - source:
            serviceAccounts:
              - web
      to:
        - operation:
            methods:
              - GET
            paths:
              - /orders/*
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

const registry = (
  orders: number,
  application: number,
  callers: Readonly<Record<string, number>>,
) => `apiVersion: citadel.dev/v1
kind: Service
metadata: {namespace: shop, name: orders}
spec:
  ports: [{port: 80, targetPort: ${orders}}]
  selector: {app: orders}
---
apiVersion: citadel.dev/v1
kind: Workload
metadata: {namespace: shop, name: orders-1, labels: {app: orders}}
spec:
  serviceAccount: orders
  addresses: [127.0.0.1]
  ports: [{port: ${orders}, application: "127.0.0.1:${application}"}]
${Object.entries(callers)
  .map(
    ([name, port]) => `---
apiVersion: citadel.dev/v1
kind: Workload
metadata: {namespace: shop, name: ${name}-1, labels: {app: ${name}}}
spec:
  serviceAccount: ${name}
  addresses: [127.0.0.1]
  egress: [{listen: "127.0.0.1:${port}", service: shop/orders, port: 80}]
`,
  )
  .join('')}`;
