import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { basename } from 'node:path';
import type { Readable } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import { OutputRing } from './output.ts';
import { waitFor } from './wait-for.ts';

export interface ExitStatus {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

export interface ProcessOptions {
  /** For messages; the program's file name by default. */
  readonly name?: string;
  /** Added to this process's environment; `undefined` takes a variable away. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly cwd?: string;
  /** Gives the child a stdin that closes when this process ends; `ignore` by default. */
  readonly stdin?: 'ignore' | 'pipe';
  /** A line of its output that says it is ready, or a condition to poll. Without it the child is ready once spawned. */
  readonly readyWhen?: RegExp | ((child: RunningProcess) => unknown);
  /** Milliseconds for `readyWhen`; 30 000 by default. */
  readonly deadline?: number;
  readonly stopSignal?: NodeJS.Signals;
  /** Milliseconds between `stopSignal` and SIGKILL; 10 000 by default. */
  readonly stopDeadline?: number;
}

export interface RunningProcess extends AsyncDisposable {
  readonly name: string;
  readonly pid: number;
  /** Undefined while it runs. */
  readonly exit: ExitStatus | undefined;
  /** Settles at its end and its output's; never rejects. */
  readonly exited: Promise<ExitStatus>;
  /** The last lines of its output, stdout and stderr as they came. */
  logs(): string;
  stdout(): string;
  stderr(): string;
  /** The first line of its output, past or to come, that matches. Fails when it ends without one. */
  line(pattern: RegExp, options?: { deadline?: number }): Promise<RegExpExecArray>;
  write(text: string): void;
  kill(signal?: NodeJS.Signals): void;
  /** Asks it to end, insists after `stopDeadline`, and waits until it is gone. */
  stop(): Promise<ExitStatus>;
}

const running = new Set<ChildProcess>();
process.once('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});

/**
 * Starts a program and waits until it is ready. It ends with this process: on Linux the kernel sees to that even after
 * SIGKILL (setpriv sets its parent-death signal), elsewhere an exit hook does. The error of one that does not become
 * ready holds its last output.
 */
export async function startProcess(
  command: string,
  args: readonly string[] = [],
  options: ProcessOptions = {},
): Promise<RunningProcess> {
  const child = spawnBound(command, args, options);
  const proc = new ChildHandle(child, options.name ?? basename(command), options);
  try {
    await proc.spawned();
    const { readyWhen, deadline = 30_000 } = options;
    if (readyWhen instanceof RegExp) await proc.line(readyWhen, { deadline });
    else if (readyWhen !== undefined) await proc.condition(readyWhen, deadline);
  } catch (error) {
    await proc.stop();
    throw error;
  }
  return proc;
}

const setpriv = '/usr/bin/setpriv';
const canBind = process.platform === 'linux' && existsSync(setpriv);

function spawnBound(command: string, args: readonly string[], options: ProcessOptions): ChildProcess {
  const environment = { ...process.env, ...options.env };
  const [file, argv] = canBind ? [setpriv, ['--pdeathsig', 'KILL', command, ...args]] : [command, [...args]];
  const child = spawn(file, argv, {
    cwd: options.cwd,
    env: environment,
    stdio: [options.stdin ?? 'ignore', 'pipe', 'pipe'],
  });
  running.add(child);
  child.once('exit', () => running.delete(child));
  return child;
}

class ChildHandle implements RunningProcess {
  readonly name: string;
  readonly exited: Promise<ExitStatus>;
  exit: ExitStatus | undefined;
  readonly #child: ChildProcess;
  readonly #output = new OutputRing();
  readonly #options: ProcessOptions;
  #spawnError: Error | undefined;

  constructor(child: ChildProcess, name: string, options: ProcessOptions) {
    this.#child = child;
    this.name = name;
    this.#options = options;
    this.#capture('stdout', child.stdout);
    this.#capture('stderr', child.stderr);
    child.stdin?.on('error', () => undefined); // the child may be gone before it reads
    this.exited = new Promise((resolve) => {
      const finish = (code: number | null, signal: NodeJS.Signals | null) => {
        this.exit ??= { code, signal };
        resolve(this.exit);
      };
      child.once('error', (error) => {
        this.#spawnError ??= error;
        if (child.pid === undefined) finish(null, null);
      });
      child.once('close', finish);
      // A grandchild may keep the pipes open for ever: the end of the child itself is enough, a moment later.
      child.once('exit', (code, signal) => setTimeout(finish, 500, code, signal).unref());
    });
  }

  #capture(stream: 'stdout' | 'stderr', source: Readable | null): void {
    source?.setEncoding('utf8');
    source?.on('data', (chunk: string) => this.#output.write(stream, chunk));
    source?.on('end', () => this.#output.end(stream));
  }

  get pid(): number {
    return this.#child.pid ?? -1;
  }

  async spawned(): Promise<void> {
    if (this.#child.pid === undefined) {
      await this.exited;
      throw new Error(`cannot start ${this.name}: ${this.#spawnError?.message ?? 'unknown error'}`);
    }
  }

  logs(): string {
    return this.#output.text();
  }

  stdout(): string {
    return this.#output.text('stdout');
  }

  stderr(): string {
    return this.#output.text('stderr');
  }

  write(text: string): void {
    this.#child.stdin?.write(text);
  }

  async line(pattern: RegExp, { deadline = 30_000 }: { deadline?: number } = {}): Promise<RegExpExecArray> {
    const matcher = new RegExp(pattern.source, pattern.flags.replace(/[gy]/g, ''));
    let unfollow: (() => void) | undefined;
    const found = new Promise<RegExpExecArray>((resolve) => {
      unfollow = this.#output.follow(({ text }) => {
        const match = matcher.exec(text);
        if (match !== null) resolve(match);
      });
    });
    try {
      return await this.#orFailure(found, `a line that matches ${pattern}`, deadline);
    } finally {
      unfollow?.();
    }
  }

  async condition(condition: (child: RunningProcess) => unknown, deadline: number): Promise<void> {
    const gone = new AbortController();
    try {
      const met = waitFor(() => condition(this), { deadline, what: 'readiness', signal: gone.signal });
      await this.#orFailure(met, 'readiness', deadline + 1_000);
    } finally {
      gone.abort();
    }
  }

  async #orFailure<T>(wanted: Promise<T>, what: string, deadline: number): Promise<T> {
    const over = new AbortController();
    const timer = delay(deadline, undefined, { signal: over.signal }).then(() => {
      throw this.#failure(`waited ${deadline} ms in vain for ${what}`);
    });
    const end = this.exited.then(({ code, signal }) => {
      throw this.#failure(`ended (${signal ?? `exit code ${code}`}) before ${what}`);
    });
    for (const promise of [wanted, timer, end]) promise.catch(() => undefined);
    try {
      return await Promise.race([wanted, timer, end]);
    } catch (error) {
      if (error instanceof Error && error.message.startsWith(`${this.name}: `)) throw error;
      throw this.#failure(error instanceof Error ? error.message : String(error), error);
    } finally {
      over.abort();
    }
  }

  #failure(reason: string, cause?: unknown): Error {
    const tail = this.#output.lines().slice(-40).join('\n');
    return new Error(`${this.name}: ${reason}\n--- its last output ---\n${tail}`, { cause });
  }

  kill(signal: NodeJS.Signals = 'SIGTERM'): void {
    this.#child.kill(signal);
  }

  async stop(): Promise<ExitStatus> {
    if (this.exit !== undefined) return this.exit;
    this.kill(this.#options.stopSignal ?? 'SIGTERM');
    const patience = new AbortController();
    const insist = delay(this.#options.stopDeadline ?? 10_000, undefined, { signal: patience.signal })
      .then(() => this.kill('SIGKILL'))
      .catch(() => undefined);
    const status = await this.exited;
    patience.abort();
    await insist;
    return status;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }
}
