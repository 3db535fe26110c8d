import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { requirePart } from '../../parts/index.ts';
import type { Given, OperationName, Operations, Reply, Result } from './operations.ts';

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

async function enter(
  name: string,
): Promise<{ readonly operations: Operations; readonly end: () => Promise<void> }> {
  const program = join(import.meta.dirname, 'inside.ts');
  const child = spawn(
    'ip',
    ['netns', 'exec', name, process.execPath, '--conditions=citadel-source', program],
    { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] },
  );
  const exited = new Promise<void>((done) => child.once('exit', () => done()));
  const call = caller(child);
  await call.ready;
  const operation =
    <K extends OperationName>(operationName: K) =>
    async (given: Given<K>): Promise<Result<K>> =>
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the two ends are of one program
      (await call.send(operationName, given)) as Result<K>;
  const operations: Operations = {
    run: operation('run'),
    start: operation('start'),
    stop: operation('stop'),
    write: operation('write'),
    relay: operation('relay'),
    serveHttp: operation('serveHttp'),
    serveEcho: operation('serveEcho'),
    get: operation('get'),
    open: operation('open'),
    say: operation('say'),
  };
  return {
    operations,
    async end() {
      child.disconnect();
      await exited;
    },
  };
}

interface Waiting {
  readonly done: (result: unknown) => void;
  readonly fail: (error: Error) => void;
}

function caller(child: ChildProcess) {
  const waiting = new Map<number, Waiting>();
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
    send: (operation: OperationName, given: unknown) =>
      new Promise<unknown>((done, fail) => {
        last += 1;
        waiting.set(last, { done, fail });
        child.send({ id: last, operation, given });
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
  const { status, stderr } = spawnSync('unshare', ['--net', requirePart('nftables'), 'list', 'ruleset'], {
    encoding: 'utf8',
  });
  return status === 0 ? undefined : stderr.trim();
}
