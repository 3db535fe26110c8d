import { CitadelError, type Clock, type Log } from '../../kernel/index.ts';
import type { AuditLog, AuthorityRecord, AuthorityStore } from '../ports/index.ts';
import type { AuthorityService } from './service.ts';

export interface TaintOptions {
  readonly store: AuthorityStore;
  readonly audit: AuditLog;
  readonly authority: Pick<AuthorityService, 'tick' | 'change'>;
  readonly clock: Clock;
  readonly log: Log;
}

export interface TaintOrder {
  /** The authority's id or fingerprint. */
  readonly id: string;
  readonly by: string;
  readonly proof: string;
  readonly reason: string;
}

/**
 * Marks an issuing authority as compromised: another one signs from then on, and agents whose certificates are under it
 * are told to make new keys.
 * @throws CitadelError NotFound; FailedPrecondition for a root, which is rotated
 */
export type TaintAuthority = (order: TaintOrder) => Promise<AuthorityRecord>;

export function createTaint({ store, audit, authority, clock, log }: TaintOptions): TaintAuthority {
  async function mark({ id, by, proof, reason }: TaintOrder): Promise<AuthorityRecord> {
    const records = await store.list();
    const record = records.find((each) => each.id === id || each.fingerprint === id);
    if (!record) throw new CitadelError('NotFound', 'there is no authority of this id or fingerprint');
    if (record.kind !== 'issuing') {
      throw new CitadelError(
        'FailedPrecondition',
        'only issuing authorities are tainted: replace a root by citadel rotate start, and taint those under it',
      );
    }
    const tainted = { ...record, tainted: true };
    if (record.tainted) return tainted;
    // First on record: who is cut off here is asked again.
    await audit.append({
      at: clock.now(),
      action: 'authority.taint',
      outcome: 'allowed',
      subject: by,
      proof,
      target: record.id,
      reason,
      details: { fingerprint: record.fingerprint },
    });
    await store.save(tainted);
    log.warn('an authority is tainted', { authority: record.id, by, reason });
    return tainted;
  }

  return async (order) => {
    const tainted = await authority.change(() => mark(order));
    // Also where it was tainted before: the successor may not have been made then.
    await authority.tick();
    return tainted;
  };
}
