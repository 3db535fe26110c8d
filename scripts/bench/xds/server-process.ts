import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { temporaryDirectory } from '../../../test/parts/index.ts';
import { type Command, type Commands, type Ready, readyId } from './commands.ts';

export interface BenchServer extends AsyncDisposable {
  readonly port: number;
  readonly rootsPem: string;
  /** Milliseconds from the start of the process until it serves. */
  readonly readyAfter: number;
  ask<K extends Command>(command: K, argument: Commands[K]['argument']): Promise<Commands[K]['result']>;
  /** Puts a file of the registry in place, by one rename. */
  write(file: string, text: string): Promise<void>;
}

interface Reply {
  readonly id: number;
  readonly result?: unknown;
  readonly error?: string;
}

/** A server in a process of its own, with a registry of these files. */
export async function startBenchServer(files: ReadonlyMap<string, string>): Promise<BenchServer> {
  await using building = new AsyncDisposableStack();
  const { path: directory } = building.use(await temporaryDirectory('bench-xds'));
  const registry = join(directory, 'registry');
  await mkdir(registry);
  for (const [file, text] of files) await writeFile(join(registry, file), text);
  const begin = performance.now();
  const child = building.adopt(
    fork(join(import.meta.dirname, 'server.ts'), [directory, registry], {
      execArgv: [
        '--max-semi-space-size=1',
        '--conditions=citadel-source',
        '--disable-warning=ExperimentalWarning',
        '--expose-gc',
      ],
      serialization: 'advanced',
    }),
    stop,
  );
  const waiting = new Map<number, (reply: Reply) => void>();
  let ended: string | undefined;
  child.on('message', (message) => {
    // Both ends are ours, and made from one file.
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion
    const reply = message as Reply;
    waiting.get(reply.id)?.(reply);
    waiting.delete(reply.id);
  });
  child.once('exit', (code) => {
    ended = `the server ended with ${code}`;
    for (const [id, take] of waiting) take({ id, error: ended });
  });
  const reply = (id: number) =>
    new Promise<never>((resolve, reject) => {
      const take = ({ error, result }: Reply) => {
        // oxlint-disable-next-line typescript/no-unsafe-type-assertion
        if (error === undefined) resolve(result as never);
        else reject(new Error(error));
      };
      if (ended === undefined) waiting.set(id, take);
      else take({ id, error: ended });
    });
  const { port, rootsPem }: Ready = await reply(readyId);
  const readyAfter = performance.now() - begin;
  let asked = readyId;
  const running = building.move();
  return {
    port,
    rootsPem,
    readyAfter,
    ask(command, argument) {
      asked += 1;
      child.send({ id: asked, command, argument });
      return reply(asked);
    },
    async write(file, text) {
      const draft = join(registry, `.${file}.new`);
      await writeFile(draft, text);
      await rename(draft, join(registry, file));
    },
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  };
}

/** Nothing of it is kept: it need not end well, only now. */
async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exit = once(child, 'exit');
  child.kill('SIGKILL');
  await exit;
}
