import { chmodSync, chownSync, mkdirSync, writeFileSync } from 'node:fs';
import { createServer, connect as dial, type Socket } from 'node:net';
import { join } from 'node:path';
import { exchange, requirePart, temporaryDirectory, waitFor } from '../../parts/index.ts';
import { startTestMesh, type TestMesh } from '../../support/mesh.ts';
import {
  connectNamespaces,
  type NetworkNamespace,
  networkNamespace,
  type RunResult,
} from '../../support/netns/index.ts';
import { trustDomain } from '../../support/server.ts';

/** Of the proxy and its agent; no user of this machine has it. */
export const proxyUser = 41_337;
const controlPort = 15_012;
const root = join(import.meta.dirname, '../../..');

export interface Machine {
  readonly namespace: NetworkNamespace;
  readonly inside: NetworkNamespace['inside'];
}

export interface CapturedMachine extends Machine {
  /** `citadel capture ...`, as root within. */
  capture(...args: readonly string[]): Promise<RunResult>;
  /** Envoy's counters whose names match, added up. */
  count(filter: string): Promise<number>;
}

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

interface ProxyOptions {
  readonly mesh: TestMesh;
  readonly namespace: NetworkNamespace;
  readonly home: string;
  readonly shared: string;
  readonly socketPath: string;
  readonly name: string;
  readonly serviceAccount: string;
}

async function startProxy(options: ProxyOptions): Promise<CapturedMachine> {
  const { namespace, home, socketPath } = options;
  const { inside } = namespace;
  await inside.relay({ port: controlPort, socketPath });
  const programs = await mountPrograms(options);
  const config = await writeConfig(options);
  await inside.start({
    command: programs.node,
    args: [
      '--conditions=citadel-source',
      join(programs.repository, 'src/cli/main.ts'),
      'agent',
      '--config',
      config,
      '--exec',
      ...[
        programs.envoy,
        '--disable-hot-restart',
        '--concurrency',
        '1',
        '--log-path',
        join(home, 'envoy.log'),
      ],
    ],
    uid: proxyUser,
    log: join(home, 'agent.log'),
  });
  const socket = join(home, 'envoy/admin.sock');
  const admin = async (path: string) => await exchange(`http://localhost${path}`, { socketPath: socket });
  await waitFor(async () => (await admin('/ready')).status === 200, { what: `the Envoy of ${options.name}` });
  await waitFor(async () => (await admin('/listeners')).body.includes('capture/outbound'), {
    what: `the listeners of ${options.name}`,
  });
  return {
    namespace,
    inside,
    capture: (...args) =>
      inside.run({
        command: process.execPath,
        args: ['--conditions=citadel-source', join(root, 'src/cli/main.ts'), 'capture', ...args],
      }),
    async count(filter) {
      const { body } = await admin(`/stats?filter=${encodeURIComponent(filter)}`);
      return [...body.matchAll(/: (\d+)$/gm)].reduce((sum, [, value]) => sum + Number(value), 0);
    },
  };
}

/**
 * The checkout, Node and Envoy may lie in a home that no other user enters: they are shown to the proxies' user by
 * mounts, read-only, of this namespace's own processes alone.
 */
async function mountPrograms({ namespace: { inside }, shared, name }: ProxyOptions) {
  const at = join(shared, `programs-${name}`);
  mkdirSync(at, { mode: 0o755 });
  const programs = { repository: join(at, 'repository'), node: join(at, 'node'), envoy: join(at, 'envoy') };
  mkdirSync(programs.repository);
  for (const file of [programs.node, programs.envoy]) writeFileSync(file, '');
  const mount = async (...args: readonly string[]) => {
    const { code, stderr } = await inside.run({ command: 'mount', args });
    if (code !== 0) throw new Error(`mount ${args.join(' ')}: ${stderr}`);
  };
  await mount('--make-rprivate', '/');
  for (const [from, to] of [
    [root, programs.repository],
    [process.execPath, programs.node],
    [requirePart('envoy'), programs.envoy],
  ] as const) {
    await mount('--bind', from, to);
    await mount('-o', 'remount,bind,ro', to);
  }
  return programs;
}

async function writeConfig({ mesh, home, name, serviceAccount }: ProxyOptions): Promise<string> {
  mkdirSync(home, { mode: 0o700 });
  const token = await mesh.server.tokens.issue(
    { namespace: 'shop', serviceAccount, instance: name },
    'istio-ca',
    3_600_000,
  );
  const files = {
    token: token.reveal(),
    'roots.pem': mesh.server.app.authority.bundle().pem,
    'agent.yaml': `
trustDomain: ${trustDomain}
server: {address: "127.0.0.1:${controlPort}", name: localhost, trust: {bundleFile: ${join(home, 'roots.pem')}}}
token: {file: ${join(home, 'token')}}
socket: {path: ${join(home, 'agent.sock')}}
envoy: {drain: 1s, controlPlane: {workload: ${name}}}
`,
  };
  for (const [file, text] of Object.entries(files)) writeFileSync(join(home, file), text, { mode: 0o600 });
  for (const file of ['', ...Object.keys(files)]) chownSync(join(home, file), proxyUser, proxyUser);
  return join(home, 'agent.yaml');
}
