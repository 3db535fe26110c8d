import { toPem } from '../../pki/index.ts';
import { type CrlSet, crlSetVersion } from '../trust/index.ts';
import { type HeldCrl, isInForce, type RevocationState } from './state.ts';

/**
 * What verifiers are given. A verifier that is given any CRL refuses every leaf whose issuer has none, so it gets the
 * CRLs of all issuers or no CRL at all.
 */
export type RevocationEnforcement =
  /** Nothing that is valid is revoked: no CRL, so that none can be missing. */
  | { readonly kind: 'notNeeded' }
  | { readonly kind: 'enforced'; readonly set: CrlSet; readonly issuers: ReadonlySet<string> }
  /** To enforce it would refuse good leaves; each reason is a sentence for the operator. */
  | { readonly kind: 'impossible'; readonly reasons: readonly string[] };

/** A revoked leaf may pass with a verifier whose clock is slow, for so long. */
const slowClock = 3_600_000;
/** Of all CRLs together, DER: below what agents and proxies take in one message. */
const largestSet = 3 * 1024 * 1024;
/** Of one entry, with its serial, date and reason, and what the lengths around it grow by. */
const entryBytes = 52;

/**
 * Leaves of a revoked authority, those that a thief made included, are refused by leaving its CRL out: so no other key
 * has to sign for it, and it holds while the root's home is away and where the authority's own key is lost.
 */
export function decideEnforcement(state: RevocationState, now: Date): RevocationEnforcement {
  const until = (end: Date) => end.getTime() + slowClock > now.getTime();
  const revoked = new Set(state.revokedAuthorities.map(({ fingerprint }) => fingerprint));
  // What was under a root that has left the bundle is refused without a CRL.
  const roots = new Set(
    state.authorities.filter(({ kind }) => kind === 'root').map(({ fingerprint }) => fingerprint),
  );
  const needed =
    state.certificates.some(({ notAfter }) => until(notAfter)) ||
    state.revokedAuthorities.some(({ fingerprint, notAfter }) => !roots.has(fingerprint) && until(notAfter));
  if (!needed) return { kind: 'notNeeded' };
  const inForce = state.authorities.filter(
    (authority) => isInForce(authority, now) && !revoked.has(authority.fingerprint),
  );
  const issuing = inForce.filter(({ kind }) => kind === 'issuing');
  const without = issuing.filter(
    // One that has signed nothing yet is waited for before it does.
    ({ fingerprint, state: slot }) => slot !== 'prepared' && !state.crls.has(fingerprint),
  );
  const reasons = without.map(({ id }) => `there is no CRL of ${id}: good leaves of it would be refused`);
  if (!issuing.some(({ fingerprint }) => state.crls.has(fingerprint)))
    reasons.push('no authority that may sign has a CRL');
  const held = inForce.flatMap(({ fingerprint }) => state.crls.get(fingerprint) ?? []);
  const size = held.reduce((sum, { der }) => sum + der.length, 0);
  if (size > largestSet) reasons.push(`the CRLs take ${size} bytes, and ${largestSet} are the most`);
  if (reasons.length > 0) return { kind: 'impossible', reasons };
  return { kind: 'enforced', set: crlSet(held), issuers: new Set(held.map(({ issuer }) => issuer)) };
}

function crlSet(held: readonly HeldCrl[]): CrlSet {
  const crls = held.toSorted((a, b) => (a.issuer < b.issuer ? -1 : 1)).map(({ der }) => der);
  return {
    version: crlSetVersion(crls),
    crls,
    pem: crls.map((der) => toPem(der, 'X509 CRL')).join(''),
  };
}

/**
 * How many more leaves can be revoked so that verifiers are still given the CRLs: one more, and none of those that were
 * revoked before would be refused any more.
 */
export function roomLeft(state: RevocationState, now: Date): number {
  const revoked = new Set(state.revokedAuthorities.map(({ fingerprint }) => fingerprint));
  const taken = state.authorities
    .filter((authority) => isInForce(authority, now) && !revoked.has(authority.fingerprint))
    .reduce((sum, { fingerprint }) => sum + (state.crls.get(fingerprint)?.der.length ?? 0), 0);
  const left = Math.floor((largestSet - taken) / entryBytes) - unlisted(state, now).length;
  return Math.max(0, left);
}

/** Revoked leaves that are valid and that the CRL of their issuer does not name yet: its key is away. */
export function unlisted({ authorities, certificates, crls }: RevocationState, now: Date): readonly string[] {
  return certificates
    .filter(({ issuer, notAfter, serial }) => {
      const inForce = authorities.some((each) => each.fingerprint === issuer && isInForce(each, now));
      return inForce && notAfter > now && crls.get(issuer)?.serials.has(serial) !== true;
    })
    .map(({ serial }) => serial);
}
