import { CitadelError, type Clock, type Log, toCitadelError } from '../../kernel/index.ts';
import type { AuditLog, AuthorityRecord, AuthorityStore } from '../ports/index.ts';
import { noteCompromise } from './note-compromise.ts';
import type { AuthorityService } from './service.ts';

export interface TaintOptions {
  readonly store: AuthorityStore;
  readonly audit: AuditLog;
  readonly authority: Pick<AuthorityService, 'tick' | 'change' | 'isSuperseded' | 'records'>;
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

export interface Tainted {
  readonly record: AuthorityRecord;
  /**
   * Why no other authority signs yet; undefined where one does. Until then the tainted one goes on, and nobody is told to
   * come: it is tried again by itself.
   */
  readonly waitsFor: string | undefined;
}

/**
 * Marks an authority as compromised. An issuing one: another one signs from then on, and agents whose certificates are
 * under it are told to make new keys; the mark stays, also where no other one can be made now. A root that signs no more: it
 * may be revoked.
 * @throws CitadelError NotFound; FailedPrecondition for the active root, which is rotated first
 */
export type TaintAuthority = (order: TaintOrder) => Promise<Tainted>;

/** How long the order waits for proxies to have the CRL of the successor, milliseconds, and how often it looks. */
const crlWait = { most: 5_000, step: 250 };

export function createTaint({ store, audit, authority, clock, log }: TaintOptions): TaintAuthority {
  async function mark({ id, by, proof, reason }: TaintOrder): Promise<AuthorityRecord> {
    const records = await store.list();
    const record = records.find((each) => each.id === id || each.fingerprint === id);
    if (!record) throw new CitadelError('NotFound', 'there is no authority of this id or fingerprint');
    if (record.kind === 'intermediate' || (record.kind === 'root' && record.state === 'active')) {
      throw new CitadelError(
        'FailedPrecondition',
        'an authority that signs others is tainted only once another root signs: citadel rotate start, and then citadel rotate continue; those under it can be tainted now',
      );
    }
    const tainted = { ...record, tainted: true };
    if (record.tainted) return tainted;
    // First on record: who is cut off here is asked again.
    await noteCompromise(
      audit,
      { by, proof, reason },
      {
        at: clock.now(),
        action: 'authority.taint',
        target: record.id,
        details: { fingerprint: record.fingerprint },
      },
    );
    await store.save(tainted);
    log.warn('an authority is tainted', { authority: record.id, by, reason });
    return tainted;
  }

  /** Proxies that verify by CRLs would refuse what a successor signs before they have its own. */
  async function waitForCrls(record: AuthorityRecord): Promise<void> {
    for (let waited = 0; waited < crlWait.most; waited += crlWait.step) {
      if (authority.isSuperseded(record.fingerprint) || !successor(record, authority.records())) return;
      await clock.sleep(crlWait.step);
      await authority.tick().catch(() => undefined);
    }
  }

  return async (order) => {
    const record = await authority.change(() => mark(order));
    // Also where it was tainted before: the successor may not have been made then.
    const failure = await authority.tick().then(
      () => undefined,
      (error: unknown) => toCitadelError(error),
    );
    if (!failure) await waitForCrls(record);
    if (authority.isSuperseded(record.fingerprint)) return { record, waitsFor: undefined };
    log.warn('a tainted authority goes on signing until another one takes its place', {
      authority: record.id,
      cause: failure?.message,
    });
    return { record, waitsFor: failure?.message ?? heldUp(record, authority.records()) };
  };
}

/** Made already, and kept waiting. */
function successor(
  tainted: AuthorityRecord,
  records: readonly AuthorityRecord[],
): AuthorityRecord | undefined {
  return records.find(
    ({ state, serverId, tainted: compromised }) =>
      state === 'prepared' && serverId === tainted.serverId && !compromised,
  );
}

/** Nothing failed, and yet none signs in its place. */
function heldUp(tainted: AuthorityRecord, records: readonly AuthorityRecord[]): string {
  return successor(tainted, records)
    ? 'the next one is made, and signs once the proxies have its revocation list, or after a minute'
    : 'it is due, and not made yet';
}
