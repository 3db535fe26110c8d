import { type CrlEntry, parseCertificate } from '../../pki/index.ts';
import type { AuthorityRecord } from '../ports/index.ts';
import { type HeldCrl, isInForce, type RevocationState, signerOf } from './state.ts';

/** A CRL that is to be signed. */
export interface CrlOrder {
  readonly authority: AuthorityRecord;
  /** Milliseconds since 1970, or one more than the last. */
  readonly number: number;
  readonly thisUpdate: Date;
  readonly nextUpdate: Date;
  readonly entries: readonly CrlEntry[];
}

const hour = 3_600_000;
const day = 24 * hour;

/**
 * A CRL is dated back like a certificate: a verifier whose clock is slow takes one that is not valid yet for none, and
 * refuses everybody.
 */
const backdate = hour;
/** How long after the authority's own end its CRL lasts: a fast clock must not meet its end first. */
const beyond = day;
/** How long what has ended stays listed once more; a CRL is signed anew for it no more often. */
const tidyAfter = day;

interface Listed extends CrlEntry {
  readonly notAfter: Date;
}

/**
 * The CRLs that are missing, or say too little. None is signed anew because of its age: its nextUpdate is beyond the end
 * of everything that it can speak of, so that an authority whose key is away or lost never refuses a good leaf.
 */
export function dueCrls(state: RevocationState, now: Date): readonly CrlOrder[] {
  return state.authorities
    .filter((authority) => isInForce(authority, now))
    .flatMap((authority) => crlDue(authority, state, now) ?? []);
}

/** The CRL of one authority, if it is due. */
export function crlDue(authority: AuthorityRecord, state: RevocationState, now: Date): CrlOrder | undefined {
  const held = state.crls.get(authority.fingerprint);
  const thisUpdate = new Date(now.getTime() - backdate);
  const listed = listedBy(authority, state, held, thisUpdate);
  if (held && isEnough(held, listed, authority, now)) return undefined;
  return {
    authority,
    number: nextNumber(held, now),
    thisUpdate,
    nextUpdate: new Date(authority.notAfter.getTime() + beyond),
    entries: listed.map(({ serial, revokedAt, reason }) => ({ serial, revokedAt, reason })),
  };
}

/**
 * Grows also over a restore (RFC 5280, 5.2.3): a store from before knows nothing of the numbers that were given since, and
 * whoever keeps the newest CRL by its number would keep one that lacks what is revoked now. So it is the time, in milliseconds.
 */
function nextNumber(held: HeldCrl | undefined, now: Date): number {
  return Math.max((held?.number ?? 0) + 1, now.getTime());
}

function isEnough(
  held: HeldCrl,
  listed: readonly Listed[],
  { notAfter }: AuthorityRecord,
  now: Date,
): boolean {
  if (held.nextUpdate <= notAfter) return false;
  if (listed.some(({ serial }) => !held.serials.has(serial))) return false;
  const ended = listed.filter(({ notAfter: end }) => end <= now).length + held.serials.size - listed.length;
  return ended === 0 || now.getTime() - held.signedAt.getTime() < tidyAfter;
}

/** What has ended is listed until a CRL from after its end has named it (RFC 5280, 3.3). */
function listedBy(
  { fingerprint }: AuthorityRecord,
  state: RevocationState,
  held: HeldCrl | undefined,
  thisUpdate: Date,
): readonly Listed[] {
  const revoked: Listed[] = [
    ...state.certificates
      .filter(({ issuer }) => issuer === fingerprint)
      .map(({ code, ...each }) => ({ ...each, reason: code })),
    ...state.revokedAuthorities.flatMap(({ code, ...each }) => {
      const record = state.authorities.find((authority) => authority.fingerprint === each.fingerprint);
      if (!record || record.kind === 'root' || signerOf(record) !== fingerprint) return [];
      return [{ ...each, serial: parseCertificate(record.certificate).serialHex, reason: code }];
    }),
  ];
  return revoked.filter(
    ({ serial, notAfter }) =>
      notAfter > thisUpdate || (held?.serials.has(serial) === true && held.thisUpdate <= notAfter),
  );
}

/** Serials of what has ended and is on no CRL any more, for whoever keeps them. */
export function forgettable(state: RevocationState, now: Date): readonly string[] {
  const inForce = new Set(
    state.authorities
      .filter((authority) => isInForce(authority, now))
      .map((authority) => authority.fingerprint),
  );
  return state.certificates
    .filter(({ serial, issuer, notAfter }) => {
      if (notAfter.getTime() + backdate > now.getTime()) return false;
      return !inForce.has(issuer) || state.crls.get(issuer)?.serials.has(serial) !== true;
    })
    .map(({ serial }) => serial);
}

/** Authorities that have ended, whose CRLs and revocations say nothing any more. */
export function endedAuthorities(state: RevocationState, now: Date): readonly string[] {
  // By what they say themselves: of an authority that is being made nothing else is known yet.
  const end = (fingerprint: string) =>
    state.crls.get(fingerprint)?.nextUpdate ??
    state.revokedAuthorities.find((authority) => authority.fingerprint === fingerprint)?.notAfter;
  return [
    ...new Set([...state.crls.keys(), ...state.revokedAuthorities.map((each) => each.fingerprint)]),
  ].filter((fingerprint) => (end(fingerprint)?.getTime() ?? Infinity) + beyond <= now.getTime());
}
