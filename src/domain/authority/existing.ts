import { CitadelError, type Clock, type Log, type Secret } from '../../kernel/index.ts';
import { chainToRoot, checkAuthorityChain, type ParsedCertificate } from '../../pki/index.ts';
import type { AuditLog, AuthorityRecord, AuthorityStore, KeyManager, SigningKey } from '../ports/index.ts';
import { authorityRecord } from './record.ts';

/** An authority made elsewhere, as Istio's `cacerts` holds it. All certificates are DER. */
export interface ExistingAuthority {
  readonly certificate: Uint8Array;
  /** Between `certificate` and its root, nearest first; without both. */
  readonly intermediates: readonly Uint8Array[];
  /** All roots to trust; `certificate` chains to one of them. */
  readonly roots: readonly Uint8Array[];
  /** Reads the PKCS#8 DER, once, when it is needed. Absent where the key is in the key home already. */
  readonly privateKey?: () => Promise<Secret<Uint8Array>>;
  /** The id of the key in its home; made from the certificate's fingerprint by default. */
  readonly keyId?: string;
}

export interface ImportOptions {
  readonly existing: ExistingAuthority;
  readonly trustDomain: string;
  readonly serverId: string;
  readonly store: AuthorityStore;
  readonly audit: AuditLog;
  /** For a key that may sign authorities. */
  readonly rootKeys: () => Promise<KeyManager>;
  /** For a key that may sign leaves only. */
  readonly issuingKeys: KeyManager;
  readonly clock: Clock;
  readonly log: Log;
}

interface Placed {
  readonly records: readonly AuthorityRecord[];
  readonly signs: string;
  readonly keyBackend: string;
}

/** Puts its key into its home. */
export async function place(
  options: Pick<ImportOptions, 'existing' | 'rootKeys' | 'issuingKeys' | 'serverId' | 'clock'>,
  certificate: ParsedCertificate,
  root: ParsedCertificate,
  state: 'active' | 'prepared',
): Promise<Placed> {
  const { existing, clock } = options;
  const directly = signsLeaves(certificate);
  const { home: open, signs } = homeOf(options, certificate);
  const home = await open();
  const { id: keyId } = await placeKey(certificate, existing, home, signs);
  const { backend: keyBackend } = home;
  if (certificate.fingerprint === root.fingerprint && !directly) {
    const own = authorityRecord({
      kind: 'root',
      state,
      keyBackend,
      keyId,
      certificate: root.der,
      createdAt: clock.now(),
    });
    return { records: [own], signs, keyBackend };
  }
  const below = authorityRecord({
    kind: directly ? 'issuing' : 'intermediate',
    state,
    keyBackend,
    keyId,
    certificate: existing.certificate,
    intermediates: existing.intermediates,
    rootFingerprint: root.fingerprint,
    ...(directly ? { serverId: options.serverId } : {}),
    createdAt: clock.now(),
  });
  return { records: [keylessRoot(root.der, state, clock), below], signs, keyBackend };
}

/** Rather than issuing authorities of ours. */
export function signsLeaves({ pathLen }: ParsedCertificate): boolean {
  return pathLen === 0;
}

/** Where its key lives, by what it signs. */
export function homeOf(
  { rootKeys, issuingKeys }: Pick<ImportOptions, 'rootKeys' | 'issuingKeys'>,
  certificate: ParsedCertificate,
): { readonly home: () => Promise<KeyManager>; readonly signs: string } {
  return signsLeaves(certificate)
    ? { home: async () => issuingKeys, signs: 'leaves' }
    : { home: rootKeys, signs: 'issuing authorities' };
}

export function keylessRoot(
  certificate: Uint8Array,
  state: AuthorityRecord['state'],
  clock: Clock,
): AuthorityRecord {
  return authorityRecord({
    kind: 'root',
    state,
    keyBackend: 'none',
    keyId: '',
    certificate,
    createdAt: clock.now(),
  });
}

/** @param newId of it in its home, where it is not there yet; its own by default */
export async function placeKey(
  certificate: ParsedCertificate,
  existing: ExistingAuthority,
  home: KeyManager,
  signs: string,
  newId?: string,
): Promise<SigningKey> {
  const id = existing.keyId ?? `imported-${certificate.fingerprint.slice(0, 16)}`;
  const present = await home.get(id);
  const key =
    present ?? (existing.privateKey && (await home.import(newId ?? id, await existing.privateKey())));
  if (!key) {
    throw new CitadelError(
      'FailedPrecondition',
      `the ${home.backend} key home, where an authority that signs ${signs} has its key, has no key ${id}, and none was given`,
    );
  }
  if (!Buffer.from(key.publicKey).equals(certificate.publicKey.spki)) {
    // What was given can be given again; what was in its home already is not ours to destroy.
    if (!present) await home.destroy(key.id);
    throw new CitadelError(
      'FailedPrecondition',
      'the private key does not belong to the authority’s certificate',
    );
  }
  return key;
}

/** @returns the root that the authority chains to */
export async function checkChain(
  { existing, trustDomain, clock }: Pick<ImportOptions, 'existing' | 'trustDomain' | 'clock'>,
  certificate: ParsedCertificate,
): Promise<ParsedCertificate> {
  const { intermediates, roots } = existing;
  const at = clock.now();
  const findings = await checkAuthorityChain({
    certificate: existing.certificate,
    intermediates,
    roots,
    trustDomain,
    at,
  });
  if (findings.length > 0) {
    throw new CitadelError(
      'FailedPrecondition',
      `the authority cannot be taken over: ${findings.join('; ')}`,
    );
  }
  return chainToRoot(certificate, intermediates, roots, at).at(-1) ?? certificate;
}
