import type { Clock, Log } from '../../kernel/index.ts';
import type { AuditLog, IssuanceStore } from '../ports/index.ts';

export interface ReconcileOptions {
  readonly store: IssuanceStore;
  readonly audit: AuditLog;
  readonly clock: Clock;
  readonly log: Log;
}

const batch = 500;

/**
 * Resolves intents that a crash left without a result: such a certificate was perhaps signed, but its reply was never
 * sent, since a reply waits for its result. Each is marked abandoned and goes into the audit record.
 * Call it before the first issuance of this process, or it would find those in the making.
 * @returns how many there were
 */
export async function reconcileIntents({ store, audit, clock, log }: ReconcileOptions): Promise<number> {
  const before = clock.now();
  let count = 0;
  for (;;) {
    const intents = await store.findUnresolved(before, batch);
    if (intents.length === 0) break;
    await Promise.all(
      intents.map(async (intent) => {
        const reason = 'the server ended between intent and result; the reply was never sent';
        await store.recordResult({ serial: intent.serial, state: 'abandoned', reason });
        await audit.append({
          at: clock.now(),
          action: 'certificate.reconcile',
          outcome: 'failed',
          subject: intent.principal,
          proof: 'none',
          target: intent.spiffeId,
          reason,
          details: { serial: intent.serial, tbsDigest: intent.tbsDigest, issuer: intent.issuer },
        });
      }),
    );
    count += intents.length;
  }
  if (count > 0) log.warn('found issuances without a result; marked abandoned', { count });
  return count;
}
