import type { AuthorityService } from '../domain/authority/index.ts';
import type { DrainService } from '../domain/draining/index.ts';
import type { RevocationService } from '../domain/revocation/index.ts';
import type { RotationService } from '../domain/rotation/index.ts';
import type { ServingCertificateSource } from '../domain/serving/index.ts';
import {
  type BackoffOptions,
  backoffDelay,
  type Clock,
  describeError,
  type Entropy,
  type Log,
} from '../kernel/index.ts';

interface Ticking {
  tick(): Promise<void>;
}

export interface MaintenanceOptions {
  readonly authority: Pick<AuthorityService, 'tick' | 'onBundleChange'>;
  readonly rotation: Pick<RotationService, 'tick'>;
  readonly revocations: Pick<RevocationService, 'tick'>;
  /** Absent where there is no control plane: nobody is told anything. */
  readonly drains: Pick<DrainService, 'tick'> | undefined;
  readonly certificates: Pick<ServingCertificateSource, 'tick'>;
  readonly clock: Clock;
  readonly entropy: Entropy;
  readonly log: Log;
  readonly signal: AbortSignal;
}

/** How often what is due is looked for; far below the shortest lifetime that is worth configuring. */
const interval = 1000;
const backoff = { baseMilliseconds: 1000, maximumMilliseconds: 60_000 };
/** Costs nothing where there is nothing to sign with, and must be there soon after there is again. */
const shortBackoff = { ...backoff, maximumMilliseconds: 5000 };

/**
 * Does what time makes due, until the signal: a rotation, issuing authorities, revocation lists, what proxies are to drain,
 * the serving certificate. Each goes by itself and backs off by itself: a rotation that waits for its key's home must hold
 * up neither issuing authorities nor the certificate below them.
 */
export async function runMaintenance(options: MaintenanceOptions): Promise<void> {
  const { authority, rotation, revocations, drains, certificates, log } = options;
  // Whoever has the new bundle does not trust a serving certificate under a root that has left it.
  const unsubscribe = authority.onBundleChange(() => {
    certificates.tick().catch((error: unknown) => {
      log.warn('the serving certificate could not follow the bundle yet', { cause: describeError(error) });
    });
  });
  await Promise.all([
    keepUp('the rotation of the root', rotation, backoff, options),
    keepUp('the issuing authorities', authority, backoff, options),
    keepUp('the revocation lists', revocations, backoff, options),
    ...(drains ? [keepUp('the draining of connections', drains, backoff, options)] : []),
    keepUp('the serving certificate', certificates, shortBackoff, options),
  ]);
  unsubscribe();
}

async function keepUp(
  what: string,
  work: Ticking,
  pause: BackoffOptions,
  { clock, entropy, log, signal }: MaintenanceOptions,
): Promise<void> {
  let failures = 0;
  while (!signal.aborted) {
    await clock
      .sleep(failures === 0 ? interval : backoffDelay(failures, pause, entropy), signal)
      .catch(() => {});
    if (signal.aborted) return;
    try {
      await work.tick();
      failures = 0;
    } catch (error) {
      failures += 1;
      log.warn(`${what} could not be kept up; trying again`, { cause: describeError(error), failures });
    }
  }
}
