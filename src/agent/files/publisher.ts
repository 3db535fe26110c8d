import {
  type BackoffOptions,
  backoffDelay,
  type Clock,
  describeError,
  type Entropy,
  type Log,
} from '../../kernel/index.ts';
import type { ConsumerRegistry } from '../consumers.ts';
import { ownBundle } from '../identity/identity.ts';
import type { IdentityState } from '../identity/state.ts';
import type { FilesOptions } from '../options.ts';
import { runHook } from './hook.ts';
import { fileConsumerId, writePemFiles } from './writer.ts';

export interface FilePublisherDependencies {
  readonly options: FilesOptions;
  readonly state: IdentityState;
  readonly registry: ConsumerRegistry;
  readonly clock: Clock;
  readonly entropy: Entropy;
  readonly log: Log;
  readonly backoff: BackoffOptions;
}

/** Keeps the files at what the agent has, one write at a time, the newest state last; a write that fails is tried again. */
export async function publishFiles(
  dependencies: FilePublisherDependencies,
  signal: AbortSignal,
): Promise<void> {
  const { options, state, registry, clock, entropy, log, backoff } = dependencies;
  const consumer = registry.open(fileConsumerId(options.directory), 'file', process.pid);
  let wake = new AbortController();
  const unsubscribe = state.subscribe(() => wake.abort());
  const pause = (milliseconds: number) =>
    clock.sleep(milliseconds, AbortSignal.any([signal, wake.signal])).catch(() => undefined);
  let written = '';
  try {
    for (let attempt = 0; !signal.aborted; ) {
      wake = new AbortController();
      const { snapshot } = state;
      const bundle = ownBundle(snapshot);
      const content = snapshot.identity === undefined ? '' : `${snapshot.identity.serial} ${bundle?.version}`;
      if (snapshot.identity === undefined || bundle === undefined || content === written) {
        await pause(longWait);
        continue;
      }
      try {
        await writePemFiles(options.directory, snapshot.identity, bundle);
        written = content;
        attempt = 0;
        consumer.sent(snapshot.identity.id.toString(), 'svid', snapshot.identity.serial);
        consumer.sent('ROOTCA', 'bundle', bundle.version);
        log.info('certificate files written', {
          directory: options.directory,
          serial: snapshot.identity.serial,
        });
      } catch (error) {
        log.error('the certificate files cannot be written; the old ones stay', {
          reason: describeError(error),
        });
        await pause(backoffDelay(attempt, backoff, entropy));
        attempt += 1;
        continue;
      }
      await runHook(options).catch((error: unknown) => {
        log.error('the command or signal after renewal failed', { reason: describeError(error) });
      });
    }
  } finally {
    unsubscribe();
    consumer.close();
  }
}

const longWait = 3_600_000;
