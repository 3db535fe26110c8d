import type { AuthorityService } from '../domain/authority/index.ts';
import type { RevocationService } from '../domain/revocation/index.ts';
import type { RotationService } from '../domain/rotation/index.ts';
import type { ServingCertificateSource } from '../domain/serving/index.ts';
import { backoffDelay, type Clock, describeError, type Entropy, type Log } from '../kernel/index.ts';

export interface MaintenanceOptions {
  readonly authority: Pick<AuthorityService, 'tick'>;
  readonly rotation: Pick<RotationService, 'tick'>;
  readonly revocations: Pick<RevocationService, 'tick'>;
  readonly certificates: Pick<ServingCertificateSource, 'tick'>;
  readonly clock: Clock;
  readonly entropy: Entropy;
  readonly log: Log;
  readonly signal: AbortSignal;
}

/** How often what is due is looked for; far below the shortest lifetime that is worth configuring. */
const interval = 1000;
const backoff = { baseMilliseconds: 1000, maximumMilliseconds: 60_000 };

/** Does what time makes due, until the signal: a rotation, issuing authorities, then the serving certificate below them. */
export async function runMaintenance(options: MaintenanceOptions): Promise<void> {
  const { authority, rotation, revocations, certificates, clock, entropy, log, signal } = options;
  let failures = 0;
  while (!signal.aborted) {
    await clock
      .sleep(failures === 0 ? interval : backoffDelay(failures, backoff, entropy), signal)
      .catch(() => {});
    if (signal.aborted) return;
    // Each by itself: a rotation that waits for its key's home must not hold up issuing authorities.
    const results = await Promise.allSettled([rotation.tick(), authority.tick(), revocations.tick()]);
    const failed = results.filter((result) => result.status === 'rejected');
    failures = failed.length === 0 ? 0 : failures + 1;
    for (const { reason } of failed) {
      log.warn('maintenance of the authorities failed; trying again', {
        cause: describeError(reason),
        failures,
      });
    }
    await certificates.tick().catch((error: unknown) => {
      log.warn('the serving certificate could not be renewed', { cause: describeError(error) });
    });
  }
}
