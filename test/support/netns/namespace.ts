import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process';
import { join } from 'node:path';
import type { Call, Operations, Reply } from './operations.ts';

/** A network namespace with a process in it that does what a test asks. */
export interface NetworkNamespace extends AsyncDisposable {
  readonly name: string;
  readonly inside: Operations;
  /** `ip` within it. */
  ip(...args: readonly string[]): void;
}

let made = 0;
const alive = new Set<string>();
process.once('exit', () => {
  for (const name of alive) spawnSync('ip', ['netns', 'delete', name]);
});

export async function networkNamespace(role: string): Promise<NetworkNamespace> {
  made += 1;
  const name = `citadel-${process.pid}-${made}-${role}`;
  execFileSync('ip', ['netns', 'add', name]);
  alive.add(name);
  const remove = () => {
    execFileSync('ip', ['netns', 'delete', name]);
    alive.delete(name);
  };
  try {
    const ip = (...args: readonly string[]) => {
      execFileSync('ip', ['-n', name, ...args], { stdio: ['ignore', 'ignore', 'pipe'] });
    };
    ip('link', 'set', 'lo', 'up');
    const { operations, end } = await enter(name);
    return {
      name,
      inside: operations,
      ip,
      async [Symbol.asyncDispose]() {
        await operations.stop({});
        await end();
        remove();
      },
    };
  } catch (error) {
    remove();
    throw error;
  }
}

async function enter(name: string): Promise<{ readonly operations: Operations; end(): Promise<void> }> {
  const program = join(import.meta.dirname, 'inside.ts');
  const child = spawn(
    'ip',
    ['netns', 'exec', name, process.execPath, '--conditions=citadel-source', program],
    { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] },
  );
  const exited = new Promise<void>((done) => child.once('exit', () => done()));
  const call = caller(child);
  await call.ready;
  const names = [
    'run',
    'start',
    'stop',
    'write',
    'relay',
    'serveHttp',
    'serveEcho',
    'get',
    'open',
    'say',
  ] as const;
  const operations = Object.fromEntries(
    names.map((operation) => [operation, (given: unknown) => call.send(operation, given)]),
  ) as unknown as Operations;
  return {
    operations,
    async end() {
      child.disconnect();
      await exited;
    },
  };
}

function caller(child: ChildProcess) {
  const waiting = new Map<number, { done(result: unknown): void; fail(error: Error): void }>();
  const ready = new Promise<unknown>((done, fail) => waiting.set(0, { done, fail }));
  let last = 0;
  child.on('message', ({ id, result, error }: Reply) => {
    const { done, fail } = waiting.get(id) ?? {};
    waiting.delete(id);
    if (error === undefined) done?.(result);
    else fail?.(new Error(error));
  });
  child.once('exit', () => {
    for (const { fail } of waiting.values()) fail(new Error('the process in the namespace has ended'));
  });
  return {
    ready,
    send: (operation: Call['operation'], given: unknown) =>
      new Promise<unknown>((done, fail) => {
        last += 1;
        waiting.set(last, { done, fail });
        child.send({ id: last, operation, given } satisfies Call);
      }),
  };
}

/** A cable between two namespaces, with an address at each end. */
export function connectNamespaces(
  a: { readonly namespace: NetworkNamespace; readonly device: string; readonly addresses: readonly string[] },
  b: { readonly namespace: NetworkNamespace; readonly device: string; readonly addresses: readonly string[] },
): void {
  a.namespace.ip(
    'link',
    'add',
    a.device,
    'type',
    'veth',
    'peer',
    'name',
    b.device,
    'netns',
    b.namespace.name,
  );
  for (const { namespace, device, addresses } of [a, b]) {
    for (const address of addresses)
      namespace.ip('address', 'add', address, 'dev', device, ...(address.includes(':') ? ['nodad'] : []));
    namespace.ip('link', 'set', device, 'up');
  }
}

/**
 * Whether this process may make network namespaces and program nftables in them. With CI=true or CITADEL_REQUIRE_PARTS=1
 * it throws where it may not, as a missing part does.
 */
export function hasNamespaces(): boolean {
  const reason = whyNot();
  if (reason === undefined) return true;
  if (process.env['CITADEL_REQUIRE_PARTS'] === '1' || ['true', '1'].includes(process.env['CI'] ?? ''))
    throw new Error(`network namespaces cannot be tested: ${reason}`);
  console.warn(`skipped: network namespaces cannot be tested: ${reason}`);
  return false;
}

function whyNot(): string | undefined {
  if (process.platform !== 'linux') return 'this is not Linux';
  if (process.geteuid?.() !== 0) return 'this is not root';
  const probe = spawnSync('unshare', ['--net', 'nft', 'list', 'ruleset'], { encoding: 'utf8' });
  if (probe.status !== 0)
    return `nft does not run in one (\`scripts/fetch-parts nftables\` installs it): ${probe.stderr}`;
  const ip = spawnSync('ip', ['netns', 'list'], { encoding: 'utf8' });
  return ip.status === 0
    ? undefined
    : 'ip of iproute2 does not run (`scripts/fetch-parts nftables` installs it)';
}
