import { type ChildProcess, spawn } from 'node:child_process';
import { chmod, mkdir, rm, writeFile } from 'node:fs/promises';
import { constants } from 'node:os';
import { join } from 'node:path';
import { CitadelError, type Clock, describeError, type Log, systemClock } from '../../kernel/index.ts';
import { callAdmin } from '../envoy/admin.ts';
import { isJsonObject } from '../envoy/json.ts';
import { agentBootstrap, type EnvoyNode, envoyArguments } from './bootstrap.ts';
import type { ControlPlaneOptions } from './control-plane.ts';

export interface ExecOptions {
  /** Envoy's program and its arguments; what they say of listeners and clusters stays. */
  readonly command: readonly [string, ...string[]];
  /** The agent's socket. */
  readonly socketPath: string;
  /** A directory of ours, made with mode 0700: the admin socket and the bootstrap that we add. */
  readonly runtimeDirectory: string;
  readonly node?: EnvoyNode;
  /** Where Envoy has its configuration from the server. */
  readonly controlPlane?: ControlPlaneOptions;
  /** Seconds that open connections get to end after a signal to stop; default 10. */
  readonly drainSeconds?: number;
  /** Seconds between SIGTERM and SIGKILL; default 5. */
  readonly killSeconds?: number;
}

const handedOn = ['SIGHUP', 'SIGUSR1', 'SIGUSR2'] as const;
const adminDeadline = 2_000;

/** Where an Envoy that is run with this directory has its admin; for `AgentOptions.envoy`. */
export function envoyAdminSocket(runtimeDirectory: string): string {
  return join(runtimeDirectory, 'admin.sock');
}

/**
 * Runs Envoy with the agent's cluster and an admin on a Unix socket put into its configuration, hands SIGHUP, SIGUSR1 and
 * SIGUSR2 on, and drains it when `signal` is aborted.
 * @returns its exit code; 128 and the signal's number where a signal ended it
 */
export async function runEnvoy(
  options: ExecOptions,
  signal: AbortSignal,
  log: Log,
  clock: Clock = systemClock,
): Promise<number> {
  const { runtimeDirectory, socketPath, node, controlPlane, drainSeconds = 10, killSeconds = 5 } = options;
  const admin = envoyAdminSocket(runtimeDirectory);
  await mkdir(runtimeDirectory, { recursive: true, mode: 0o700 });
  await chmod(runtimeDirectory, 0o700);
  await rm(admin, { force: true });
  const [file, ...given] = options.command;
  const own = { socketPath, adminSocket: admin, ...(controlPlane ? { controlPlane } : {}) };
  const bootstrap = (named: EnvoyNode | undefined) => agentBootstrap(own, named);
  const args = await envoyArguments(given, bootstrap, node, drainSeconds);
  await writeFile(join(runtimeDirectory, 'bootstrap.json'), args.at(-1) ?? '', { mode: 0o600 });

  const child = spawn(file, args, { stdio: 'inherit' });
  const exited = exitCode(child);
  const forward = (name: NodeJS.Signals) => child.kill(name);
  for (const name of handedOn) process.on(name, forward);
  const stop = async () => {
    await drain(admin, drainSeconds, exited, clock, log);
    child.kill('SIGTERM');
    const over = new AbortController();
    const patience = clock.sleep(killSeconds * 1000, over.signal).then(
      () => child.kill('SIGKILL'),
      () => undefined,
    );
    await exited.catch(() => undefined);
    over.abort();
    await patience;
  };
  const onAbort = () => {
    stop().catch((error: unknown) => {
      log.error('Envoy could not be drained', { reason: describeError(error) });
      child.kill('SIGKILL');
    });
  };
  signal.addEventListener('abort', onAbort, { once: true });
  if (signal.aborted) onAbort();
  try {
    return await exited;
  } finally {
    signal.removeEventListener('abort', onAbort);
    for (const name of handedOn) process.off(name, forward);
  }
}

function exitCode(child: ChildProcess): Promise<number> {
  return new Promise((resolve, reject) => {
    child.once('error', (cause) => {
      reject(
        new CitadelError('FailedPrecondition', 'Envoy cannot be started', {
          details: describeError(cause),
          cause,
        }),
      );
    });
    child.once('exit', (code, name) => resolve(code ?? 128 + (name === null ? 0 : constants.signals[name])));
  });
}

/** Fails the health check, drains the listeners, and waits until no connection is open or the time is up. */
async function drain(
  admin: string,
  seconds: number,
  exited: Promise<number>,
  clock: Clock,
  log: Log,
): Promise<void> {
  const end = clock.now().getTime() + seconds * 1000;
  const gone = new AbortController();
  const over = exited.then(
    () => gone.abort(),
    () => gone.abort(),
  );
  try {
    await callAdmin(admin, 'POST', '/healthcheck/fail', adminDeadline);
    await callAdmin(admin, 'POST', '/drain_listeners?graceful', adminDeadline);
    log.info('Envoy is draining', { seconds });
    while (!gone.signal.aborted && clock.now().getTime() < end && (await openConnections(admin)) > 0) {
      await Promise.race([clock.sleep(Math.min(100, end - clock.now().getTime())), over]);
    }
  } catch (error) {
    log.warn('Envoy cannot be drained; it is stopped at once', { reason: describeError(error) });
  }
}

/** Downstream connections of all listeners but the admin's. */
async function openConnections(admin: string): Promise<number> {
  const filter = encodeURIComponent('^listener\\..*downstream_cx_active$');
  const { body } = await callAdmin(admin, 'GET', `/stats?format=json&filter=${filter}`, adminDeadline);
  const document: unknown = JSON.parse(body);
  const stats =
    isJsonObject(document) && Array.isArray(document['stats']) ? (document['stats'] as unknown[]) : [];
  return stats.reduce<number>((sum, stat) => {
    if (!isJsonObject(stat)) return sum;
    const { name, value } = stat;
    if (typeof value !== 'number') return sum;
    return typeof name === 'string' && name.startsWith('listener.admin.') ? sum : sum + value;
  }, 0);
}
