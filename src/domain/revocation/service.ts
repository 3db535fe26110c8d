import { type Clock, describeError, inTurn, type Log } from '../../kernel/index.ts';
import { type CertificateSigner, createCrl, parseCertificate, readCrl, whyNoCrls } from '../../pki/index.ts';
import type {
  AuthorityRecord,
  RevocationStore,
  RevokedAuthority,
  RevokedCertificate,
} from '../ports/index.ts';
import type { CrlSet } from '../trust/index.ts';
import { type CrlOrder, crlDue, dueCrls, endedAuthorities, forgettable } from './due.ts';
import { decideEnforcement, type RevocationEnforcement, roomLeft, unlisted } from './enforcement.ts';
import type { HeldCrl, RevocationState } from './state.ts';

export interface RevocationServiceOptions {
  readonly store: RevocationStore;
  readonly authorities: () => readonly AuthorityRecord[];
  /** The key of an authority, where it can be reached; undefined where it is not here. */
  readonly signerOf: (authority: AuthorityRecord) => Promise<CertificateSigner | undefined>;
  readonly clock: Clock;
  readonly log: Log;
}

/** What counts no more from now on. */
export interface Revoked {
  /** Of leaves. */
  readonly serials: ReadonlySet<string>;
  /** Fingerprints of authorities, whose leaves all count no more. */
  readonly authorities: ReadonlySet<string>;
}

export interface RevocationStatus {
  readonly enforcement: RevocationEnforcement;
  readonly crls: readonly HeldCrl[];
  readonly certificates: readonly RevokedCertificate[];
  readonly authorities: readonly RevokedAuthority[];
  /** Serials that are on no CRL yet, since the key of their issuer is away. */
  readonly unlisted: readonly string[];
}

export interface RevocationService {
  /** Loads what is stored; what verifiers are given is decided by the first tick, when authorities are known. */
  start(): Promise<void>;
  /** Signs the CRLs that are due and forgets what has ended; safe to repeat. */
  tick(): Promise<void>;
  /** Makes the first CRL of an authority, whose key is at hand, before the authority is known to anybody. */
  born(authority: AuthorityRecord, signer: CertificateSigner): Promise<void>;
  revokeCertificates(revoked: readonly RevokedCertificate[]): Promise<void>;
  revokeAuthority(revoked: RevokedAuthority): Promise<void>;
  /** How many more leaves can be revoked so that verifiers are still given the CRLs. */
  room(): number;
  isRevoked(leaf: { readonly serial: string; readonly issuer: string }): boolean;
  /** What verifiers are to be given from now on, and when an authority was made, with its first CRL; undefined: it has none. */
  look(authority: string): { readonly enforcement: RevocationEnforcement; readonly bornAt: Date | undefined };
  /** Called after each revocation is durable, once for all that it takes back. @returns the way to stop it */
  onRevoked(listener: (revoked: Revoked) => void): () => void;
  /** The newest CRL of an authority, by its fingerprint. */
  crl(issuer: string): HeldCrl | undefined;
  /** What verifiers are to be given; undefined: no CRL. */
  set(): CrlSet | undefined;
  /** Called when that changes. @returns the way to stop it */
  onSetChange(listener: () => void): () => void;
  status(): RevocationStatus;
}

/** Milliseconds until a key that could not sign is asked again: its home may be away for long. */
const askAgain = 30_000;

export function createRevocationService(options: RevocationServiceOptions): RevocationService {
  const { store, clock, log } = options;
  const inOrder = inTurn();
  const inOrderElsewhere = inTurn();
  const revokedListeners = new Set<(revoked: Revoked) => void>();
  const setListeners = new Set<() => void>();
  const certificates = new Map<string, RevokedCertificate>();
  const authorities = new Map<string, RevokedAuthority>();
  const crls = new Map<string, HeldCrl>();
  /** When an authority's key is asked again, by fingerprint. */
  const notBefore = new Map<string, number>();
  let enforcement: RevocationEnforcement = { kind: 'notNeeded' };

  const state = (): RevocationState => ({
    authorities: options.authorities(),
    certificates: [...certificates.values()],
    revokedAuthorities: [...authorities.values()],
    crls,
  });
  const setOf = (decided: RevocationEnforcement) => (decided.kind === 'enforced' ? decided.set : undefined);

  function decide(): void {
    const before = enforcement;
    enforcement = decideEnforcement(state(), clock.now());
    if (enforcement.kind === 'impossible' && before.kind !== 'impossible')
      log.error('revocations are not enforced by proxies', { reasons: enforcement.reasons });
    if (setOf(before)?.version === setOf(enforcement)?.version) return;
    for (const listener of setListeners) listener();
  }

  async function sign(order: CrlOrder, signer: CertificateSigner): Promise<void> {
    const { authority, number, entries } = order;
    const der = await createCrl({ ...order, issuerCertificate: authority.certificate, signer });
    const signedAt = clock.now();
    await store.saveCrl({ issuer: authority.fingerprint, number, der, signedAt });
    crls.set(authority.fingerprint, { ...readCrl(der), issuer: authority.fingerprint, signedAt });
    log.info('signed a CRL', { authority: authority.id, number, entries: entries.length });
  }

  async function trySign(order: CrlOrder): Promise<void> {
    const { id, fingerprint } = order.authority;
    const now = clock.now().getTime();
    if ((notBefore.get(fingerprint) ?? 0) > now) return;
    notBefore.set(fingerprint, now + askAgain);
    try {
      const signer = await options.signerOf(order.authority);
      if (!signer) return;
      await sign(order, signer);
      notBefore.delete(fingerprint);
    } catch (error) {
      log.warn('a CRL could not be signed; trying again', { authority: id, cause: describeError(error) });
    }
  }

  /** The keys of issuing authorities are on this machine; the home of another authority's key may hang. */
  async function signDue(where: 'here' | 'elsewhere'): Promise<void> {
    const due = dueCrls(state(), clock.now())
      .filter(({ authority }) => (authority.kind === 'issuing') === (where === 'here'))
      .filter(({ authority }) => whyNoCrls(parseCertificate(authority.certificate)) === undefined);
    await Promise.all(due.map((order) => trySign(order)));
    decide();
  }

  async function forget(): Promise<void> {
    const now = clock.now();
    const serials = forgettable(state(), now);
    if (serials.length > 0) {
      await store.forgetCertificates(serials);
      for (const serial of serials) certificates.delete(serial);
    }
    const ended = endedAuthorities(state(), now);
    if (ended.length === 0) return;
    await store.forgetAuthorities(ended);
    for (const fingerprint of ended) {
      authorities.delete(fingerprint);
      crls.delete(fingerprint);
    }
  }

  function told(revoked: Revoked): void {
    for (const listener of revokedListeners) listener(revoked);
  }

  return {
    async start() {
      for (const each of await store.certificates()) certificates.set(each.serial, each);
      for (const each of await store.authorities()) authorities.set(each.fingerprint, each);
      for (const { der, ...stored } of await store.crls())
        crls.set(stored.issuer, { ...readCrl(der), issuer: stored.issuer, signedAt: stored.signedAt });
    },
    async tick() {
      await inOrder(async () => {
        await signDue('here');
        await forget();
      });
      await inOrderElsewhere(() => signDue('elsewhere'));
    },
    born: (authority, signer) =>
      inOrder(async () => {
        if (whyNoCrls(parseCertificate(authority.certificate)) !== undefined) return;
        const order = crlDue(authority, state(), clock.now());
        if (order) await sign(order, signer);
      }),
    revokeCertificates: (revoked) =>
      inOrder(async () => {
        const fresh = revoked.filter(({ serial }) => !certificates.has(serial));
        if (fresh.length > 0) {
          await store.revokeCertificates(fresh);
          for (const each of fresh) {
            certificates.set(each.serial, each);
            notBefore.delete(each.issuer);
          }
          told({ serials: new Set(fresh.map(({ serial }) => serial)), authorities: new Set() });
        }
        await signDue('here');
      }),
    revokeAuthority: (revoked) =>
      inOrder(async () => {
        if (!authorities.has(revoked.fingerprint)) {
          await store.revokeAuthority(revoked);
          authorities.set(revoked.fingerprint, revoked);
          told({ serials: new Set(), authorities: new Set([revoked.fingerprint]) });
        }
        await signDue('here');
      }),
    room: () => roomLeft(state(), clock.now()),
    isRevoked: ({ serial, issuer }) => certificates.has(serial) || authorities.has(issuer),
    look(authority) {
      decide();
      const held = crls.get(authority);
      const record = options.authorities().find(({ fingerprint }) => fingerprint === authority);
      return { enforcement, bornAt: held && (record?.createdAt ?? held.signedAt) };
    },
    onRevoked(listener) {
      revokedListeners.add(listener);
      return () => revokedListeners.delete(listener);
    },
    crl: (issuer) => crls.get(issuer),
    set: () => setOf(enforcement),
    onSetChange(listener) {
      setListeners.add(listener);
      return () => setListeners.delete(listener);
    },
    status() {
      return {
        enforcement,
        crls: [...crls.values()],
        certificates: [...certificates.values()],
        authorities: [...authorities.values()],
        unlisted: unlisted(state(), clock.now()),
      };
    },
  };
}
