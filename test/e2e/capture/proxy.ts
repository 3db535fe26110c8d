import { chownSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { exchange, requirePart, waitFor } from '../../parts/index.ts';
import type { TestMesh } from '../../support/mesh.ts';
import type { NetworkNamespace, RunResult } from '../../support/netns/index.ts';
import { trustDomain } from '../../support/server.ts';
import { captureIn } from './command.ts';

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

interface ProxyOptions {
  readonly mesh: TestMesh;
  readonly namespace: NetworkNamespace;
  readonly home: string;
  readonly shared: string;
  readonly socketPath: string;
  readonly name: string;
  readonly serviceAccount: string;
}

/** An agent and an Envoy beside it, of a user of their own; nothing is captured yet. */
export async function startProxy(options: ProxyOptions): Promise<CapturedMachine> {
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
      programs.envoy,
      '--disable-hot-restart',
      '--concurrency',
      '1',
      '--log-path',
      join(home, 'envoy.log'),
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
    capture: (...args) => captureIn(inside, ...args),
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
