import type {
  AuthorityRecord,
  RevokedAuthority,
  RevokedCertificate,
} from '../../../../src/domain/ports/index.ts';
import type { HeldCrl, RevocationState } from '../../../../src/domain/revocation/state.ts';

const hour = 3_600_000;
/** So many hours after an arbitrary moment. */
export const at = (hours: number) => new Date(Date.UTC(2030, 0, 1) + hours * hour);

export function issuing(id: string, changes: Partial<AuthorityRecord> = {}): AuthorityRecord {
  return {
    id,
    kind: 'issuing',
    state: 'active',
    tainted: false,
    keyBackend: 'disk',
    keyId: id,
    certificate: Buffer.from(id),
    intermediates: [],
    fingerprint: id,
    rootFingerprint: 'root',
    serverId: 'one',
    notBefore: at(-1),
    notAfter: at(240),
    createdAt: at(0),
    ...changes,
  };
}

export const root = (changes: Partial<AuthorityRecord> = {}) =>
  issuing('root', { kind: 'root', keyBackend: 'vault', notAfter: at(9000), ...changes });

/** Ends after so many hours. */
export function revoked(
  serial: string,
  end: number,
  changes: Partial<RevokedCertificate> = {},
): RevokedCertificate {
  return {
    serial,
    spiffeId: 'spiffe://example.org/ns/shop/sa/web',
    issuer: 'a',
    notAfter: at(end),
    revokedAt: at(0),
    revokedBy: 'operator:ann',
    code: 'keyCompromise',
    reason: '',
    ...changes,
  };
}

export function revokedAuthority(fingerprint: string, end = 240): RevokedAuthority {
  return {
    fingerprint,
    notAfter: at(end),
    revokedAt: at(0),
    revokedBy: 'operator:ann',
    code: 'cACompromise',
    reason: '',
  };
}

/** Signed after so many hours; dated back by one. */
export function crl(
  issuer: string,
  signed: number,
  serials: readonly string[] = [],
  changes: Partial<HeldCrl> = {},
): HeldCrl {
  return {
    der: Buffer.from(`${issuer} ${signed} ${serials.join()}`),
    issuerDer: Buffer.from(issuer),
    issuer,
    number: 1,
    thisUpdate: at(signed - 1),
    nextUpdate: at(264),
    serials: new Set(serials),
    signedAt: at(signed),
    ...changes,
  };
}

export function state(
  changes: Partial<Omit<RevocationState, 'crls'>> & { readonly crls?: readonly HeldCrl[] },
): RevocationState {
  const { crls = [], ...rest } = changes;
  return {
    authorities: [issuing('a')],
    certificates: [],
    revokedAuthorities: [],
    ...rest,
    crls: new Map(crls.map((each) => [each.issuer, each])),
  };
}
