import type { Refusal } from '../api/listen/index.ts';
import type { AuditLog } from '../domain/ports/index.ts';
import type { Clock, Log } from '../kernel/index.ts';

export interface RefusalRecordOptions {
  readonly audit: AuditLog;
  readonly clock: Clock;
  readonly log: Log;
}

const reasons = {
  connections: 'too many connections are open',
  rate: 'too many calls of this address',
  incomplete: 'the request did not arrive whole: too large, malformed, too slow or given up',
  client: 'no certificate that this listener asks for',
} satisfies Record<Refusal['kind'], string>;

/** Records what a listener turned away; of what repeats, one a second and address, so that nobody fills the disk. */
export function recordRefusals({ audit, clock, log }: RefusalRecordOptions): (refusal: Refusal) => void {
  return ({ kind, peer, method, notable }) => {
    if (!notable) return;
    const reason = reasons[kind];
    log.warn('refused before any service saw it', { reason, peer, method });
    audit
      .append({
        at: clock.now(),
        action: kind === 'connections' ? 'listener.connect' : 'listener.call',
        outcome: 'refused',
        subject: 'unauthenticated',
        proof: 'none',
        target: method,
        reason,
        details: { peer },
      })
      .catch((error: unknown) => log.error('a refusal was not recorded', { error }));
  };
}
