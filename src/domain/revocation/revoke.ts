import { CitadelError, type Clock, type Log } from '../../kernel/index.ts';
import type { RevocationReason } from '../../pki/index.ts';
import { noteCompromise } from '../authority/index.ts';
import { isServersOwn } from '../issuance/index.ts';
import type { AuditLog, AuthorityStore, IssuanceRecord, IssuanceStore } from '../ports/index.ts';
import type { RevocationService } from './service.ts';

/** Which leaves; one of the three. */
export type RevocationTarget =
  | { readonly kind: 'serial'; readonly serial: string }
  | { readonly kind: 'identity'; readonly spiffeId: string }
  /** The id or the fingerprint of the authority that issued them. */
  | { readonly kind: 'issuer'; readonly issuer: string };

export interface RevocationOrder {
  readonly target: RevocationTarget;
  readonly code: RevocationReason;
  readonly reason: string;
  readonly by: string;
  readonly proof: string;
  /** Only says what it would take back. */
  readonly dryRun: boolean;
}

/** What an order takes back, or would. */
export interface RevocationImpact {
  /** Certificates that are valid and were not revoked before. */
  readonly certificates: number;
  readonly revokedBefore: number;
  readonly identities: readonly { readonly spiffeId: string; readonly certificates: number }[];
  /** When the last of them would have ended by itself. */
  readonly until: Date | undefined;
}

export interface RevokeOptions {
  readonly issuance: Pick<IssuanceStore, 'get' | 'find'>;
  readonly authorities: Pick<AuthorityStore, 'list'>;
  readonly audit: AuditLog;
  readonly revocations: Pick<RevocationService, 'revokeCertificates' | 'isRevoked' | 'room'>;
  readonly clock: Clock;
  readonly log: Log;
}

/**
 * Takes leaves back: they open nothing here any more from the reply on, and proxies refuse them as soon as they have the
 * next CRL. Who can prove anew who he is gets another certificate.
 * @throws CitadelError NotFound, FailedPrecondition
 */
export type RevokeCertificates = (order: RevocationOrder) => Promise<RevocationImpact>;

export function createRevoke(options: RevokeOptions): RevokeCertificates {
  const { audit, revocations, clock, log } = options;
  return async ({ target, code, reason, by, proof, dryRun }) => {
    const now = clock.now();
    const found = await select(target, now, options);
    const fresh = found.filter((record) => !revocations.isRevoked(record));
    const impact = impactOf(fresh, found.length);
    if (fresh.length === 0) return impact;
    requireRoom(fresh.length, revocations.room());
    if (dryRun) return impact;
    // First on record: who is cut off here is asked again.
    await noteCompromise(
      audit,
      { by, proof, reason },
      {
        at: now,
        action: 'certificate.revoke',
        target: nameOf(target),
        details: { certificates: String(fresh.length), code },
      },
    );
    await revocations.revokeCertificates(
      fresh.map(({ serial, spiffeId, issuer, notAfter }) => ({
        serial,
        spiffeId,
        issuer,
        notAfter,
        revokedAt: now,
        revokedBy: by,
        code,
        reason,
      })),
    );
    log.warn('certificates are revoked', { target: nameOf(target), certificates: fresh.length, by, reason });
    return impact;
  };
}

/** Whoever could get so many certificates must not make good again, by their end, what others had taken from them. */
function requireRoom(certificates: number, room: number): void {
  if (certificates <= room) return;
  throw new CitadelError(
    'FailedPrecondition',
    `${certificates} certificates are more than the CRLs have room for, which is ${room}: proxies would refuse none any more. To refuse them all, citadel authority taint, then citadel authority revoke their issuer`,
  );
}

function nameOf(target: RevocationTarget): string {
  return target.kind === 'serial'
    ? target.serial
    : target.kind === 'identity'
      ? target.spiffeId
      : target.issuer;
}

export function impactOf(fresh: readonly IssuanceRecord[], found: number): RevocationImpact {
  const identities = new Map<string, number>();
  for (const { spiffeId } of fresh) identities.set(spiffeId, (identities.get(spiffeId) ?? 0) + 1);
  const ends = fresh.map(({ notAfter }) => notAfter.getTime());
  return {
    certificates: fresh.length,
    revokedBefore: found - fresh.length,
    identities: [...identities]
      .map(([spiffeId, certificates]) => ({ spiffeId, certificates }))
      .toSorted((a, b) => (a.spiffeId < b.spiffeId ? -1 : 1)),
    until: ends.length === 0 ? undefined : new Date(ends.reduce((a, b) => Math.max(a, b))),
  };
}

/** Those that are valid. */
async function select(
  target: RevocationTarget,
  now: Date,
  { issuance, authorities }: RevokeOptions,
): Promise<readonly IssuanceRecord[]> {
  if (target.kind === 'serial') {
    const record = await issuance.get(target.serial);
    if (record?.state !== 'issued')
      throw new CitadelError('NotFound', 'no certificate of this serial was issued here');
    if (record.notAfter <= now)
      throw new CitadelError('FailedPrecondition', 'the certificate has ended; there is nothing to revoke');
    if (isServersOwn(record))
      throw new CitadelError(
        'FailedPrecondition',
        "this is a server's own certificate, without which no agent reaches it: taint its issuing authority instead",
      );
    return [record];
  }
  if (target.kind === 'identity') return liveLeaves(issuance, { spiffeId: target.spiffeId }, now);
  const known = await authorities.list();
  const issuer = known.find(({ id, fingerprint }) => id === target.issuer || fingerprint === target.issuer);
  if (!issuer) throw new CitadelError('NotFound', 'there is no authority of this id or fingerprint');
  return liveLeaves(issuance, { issuer: issuer.fingerprint }, now);
}

const pageSize = 1000;

/** All valid leaves but servers' own. */
export async function liveLeaves(
  issuance: Pick<IssuanceStore, 'find'>,
  of: { readonly spiffeId: string } | { readonly issuer: string },
  now: Date,
): Promise<readonly IssuanceRecord[]> {
  const found: IssuanceRecord[] = [];
  let pageToken: string | undefined;
  do {
    const page = await issuance.find({
      ...of,
      state: 'issued',
      expiresAfter: now,
      limit: pageSize,
      ...(pageToken === undefined ? {} : { pageToken }),
    });
    found.push(...page.items.filter((record) => !isServersOwn(record)));
    pageToken = page.nextPageToken;
  } while (pageToken !== undefined);
  return found;
}
