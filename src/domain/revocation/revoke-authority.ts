import { CitadelError, type Clock, type Log } from '../../kernel/index.ts';
import { type AuthorityService, noteCompromise } from '../authority/index.ts';
import type { AuditLog, AuthorityRecord, AuthorityStore, IssuanceStore, KeyManager } from '../ports/index.ts';
import { impactOf, liveLeaves, type RevocationImpact } from './revoke.ts';
import type { RevocationService } from './service.ts';

export interface AuthorityRevocationOrder {
  /** The authority's id or fingerprint. */
  readonly id: string;
  readonly by: string;
  readonly proof: string;
  readonly reason: string;
  /** Only says what it would take back. */
  readonly dryRun: boolean;
}

export interface RevokeAuthorityOptions {
  readonly store: AuthorityStore;
  readonly issuance: Pick<IssuanceStore, 'find'>;
  readonly audit: AuditLog;
  readonly authority: Pick<AuthorityService, 'change' | 'tick' | 'isSuperseded'>;
  readonly revocations: Pick<RevocationService, 'revokeAuthority'>;
  readonly issuingKeys: Pick<KeyManager, 'destroy'>;
  /** Makes the server's own certificate anew where it is under the authority. */
  readonly renewOwn: () => Promise<void>;
  readonly clock: Clock;
  readonly log: Log;
}

/**
 * Takes an authority out for good. An issuing one: its leaves count no more, those that a thief made included, and its key
 * is destroyed. A root: it leaves the bundle, and with it all that chains to it alone.
 * @throws CitadelError NotFound; FailedPrecondition while it is not tainted, or nothing signs in its place
 */
export type RevokeAuthority = (order: AuthorityRevocationOrder) => Promise<RevocationImpact>;

export function createRevokeAuthority(options: RevokeAuthorityOptions): RevokeAuthority {
  const { store, audit, authority, revocations, clock, log } = options;

  async function take(record: AuthorityRecord, order: AuthorityRevocationOrder): Promise<void> {
    const { by, reason } = order;
    const now = clock.now();
    // First on record: who is cut off here is asked again.
    await noteCompromise(audit, order, {
      at: now,
      action: 'authority.revoke',
      target: record.id,
      details: { fingerprint: record.fingerprint, kind: record.kind },
    });
    const { fingerprint, notAfter } = record;
    await revocations.revokeAuthority({
      fingerprint,
      notAfter,
      revokedAt: now,
      revokedBy: by,
      code: 'cACompromise',
      reason,
    });
    // The key before the state: who is cut off between them is asked again, and finds what is left to do.
    if (record.kind === 'issuing')
      await options.issuingKeys.destroy(record.keyId).catch((error: unknown) => {
        log.warn('the key of a revoked authority could not be destroyed', { authority: record.id, error });
      });
    await authority.change(async () => {
      // Anew: it may have been changed while it was looked at.
      const present = (await store.list()).find(({ id }) => id === record.id) ?? record;
      await store.save({ ...present, state: 'retired' });
    });
    await authority.tick();
    log.warn('an authority is revoked', { authority: record.id, by, reason });
  }

  return async (order) => {
    const records = await store.list();
    const record = records.find(({ id, fingerprint }) => id === order.id || fingerprint === order.id);
    if (!record) throw new CitadelError('NotFound', 'there is no authority of this id or fingerprint');
    const below = records.filter(
      ({ kind, fingerprint, rootFingerprint }) =>
        kind === 'issuing' && (fingerprint === record.fingerprint || rootFingerprint === record.fingerprint),
    );
    const leaves = await Promise.all(
      below.map((each) => liveLeaves(options.issuance, { issuer: each.fingerprint }, clock.now())),
    );
    const found = leaves.flat();
    const impact = impactOf(found, found.length);
    // A second time it is as it should be already, down to the key.
    if (record.state === 'retired' && record.tainted) return impact;
    refuseUnsafe(record, records, options);
    if (order.dryRun) return impact;
    if (record.kind === 'issuing') await options.renewOwn();
    await take(record, order);
    return impact;
  };
}

function refuseUnsafe(
  record: AuthorityRecord,
  records: readonly AuthorityRecord[],
  { authority }: RevokeAuthorityOptions,
): void {
  if (!record.tainted)
    throw new CitadelError(
      'FailedPrecondition',
      `the authority is not tainted: first citadel authority taint ${record.id}, so that whoever is under it gets another certificate`,
    );
  if (record.kind === 'issuing') {
    if (authority.isSuperseded(record.fingerprint)) return;
    throw new CitadelError(
      'FailedPrecondition',
      'no other authority signs yet in the place of this one: try again in a moment',
    );
  }
  if (record.kind === 'intermediate')
    throw new CitadelError('FailedPrecondition', 'an authority between is taken out with its root');
  const signs = records.some(({ kind, state }) => kind === 'root' && state === 'active');
  if (record.state === 'active' || !signs)
    throw new CitadelError(
      'FailedPrecondition',
      'the active root is not revoked: citadel rotate start makes another one, which signs after citadel rotate continue',
    );
}
