import { chmodSync } from 'node:fs';
import { createServer, connect as dial, type Socket } from 'node:net';
import { temporaryDirectory } from '../../parts/index.ts';
import { startTestMesh, type TestMesh } from '../../support/mesh.ts';
import { connectNamespaces, type NetworkNamespace, networkNamespace } from '../../support/netns/index.ts';
import { type CapturedMachine, type Machine, startProxy } from './proxy.ts';

export interface World extends AsyncDisposable {
  readonly mesh: TestMesh;
  readonly web: CapturedMachine;
  readonly orders: CapturedMachine;
  /** No proxy, no capture: the router between the two, and a stranger to both. */
  readonly outside: Machine;
}

export const addresses = {
  web: ['10.77.1.2', 'fd77:1::2'],
  orders: ['10.77.2.2', 'fd77:2::2'],
  outside: ['10.77.1.1', 'fd77:1::1'],
} as const;

/** Two machines under capture, each with an application, an agent and an Envoy, and one between them without. */
export async function startWorld(registry: Readonly<Record<string, string>>): Promise<World> {
  await using building = new AsyncDisposableStack();
  const mesh = building.use(await startTestMesh({ registry }));
  const directory = building.use(await temporaryDirectory('net'));
  // The proxies' user must get through to its own files below.
  chmodSync(directory.path, 0o755);
  const namespaces = await Promise.all(
    ['web', 'orders', 'outside'].map(async (role) => building.use(await networkNamespace(role))),
  );
  const [web, orders, outside] = namespaces;
  if (!web || !orders || !outside) throw new Error('no namespaces');
  await cable(web, orders, outside);
  const socketPath = directory.join('server.sock');
  building.defer(await relayFrom(socketPath, mesh.server.app.csr.port));
  const start = async (namespace: NetworkNamespace, name: string, serviceAccount: string) =>
    await startProxy({
      mesh,
      namespace,
      home: directory.join(name),
      shared: directory.path,
      socketPath,
      name,
      serviceAccount,
    });
  const [webProxy, ordersProxy] = await Promise.all([
    start(web, 'web-1', 'web'),
    start(orders, 'orders-1', 'orders'),
  ]);
  const running = building.move();
  return {
    mesh,
    web: webProxy,
    orders: ordersProxy,
    outside: { namespace: outside, inside: outside.inside },
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  };
}

async function cable(
  web: NetworkNamespace,
  orders: NetworkNamespace,
  outside: NetworkNamespace,
): Promise<void> {
  for (const [namespace, net, far] of [
    [web, 1, 'to-web'],
    [orders, 2, 'to-orders'],
  ] as const) {
    connectNamespaces(
      { namespace, device: 'eth0', addresses: [`10.77.${net}.2/24`, `fd77:${net}::2/64`] },
      { namespace: outside, device: far, addresses: [`10.77.${net}.1/24`, `fd77:${net}::1/64`] },
    );
    namespace.ip('route', 'add', 'default', 'via', `10.77.${net}.1`);
    namespace.ip('-6', 'route', 'add', 'default', 'via', `fd77:${net}::1`);
  }
  for (const path of ['/proc/sys/net/ipv4/ip_forward', '/proc/sys/net/ipv6/conf/all/forwarding'])
    await outside.inside.write({ path, text: '1' });
}

/** A Unix socket is the same in every network namespace: the one way to the server, and out of no other. */
async function relayFrom(path: string, port: number): Promise<() => Promise<void>> {
  const open = new Set<Socket>();
  const server = createServer((near) => {
    const far = dial(port, '127.0.0.1');
    near.pipe(far).pipe(near);
    for (const [one, other] of [
      [near, far],
      [far, near],
    ] as const) {
      open.add(one);
      one.on('error', () => other.destroy());
      one.on('close', () => {
        open.delete(one);
        other.destroy();
      });
    }
  });
  await new Promise<void>((done) => server.listen(path, done));
  return () =>
    new Promise((done) => {
      server.close(() => done());
      for (const socket of open) socket.destroy();
    });
}
