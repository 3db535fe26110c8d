import { CitadelError, type Clock, type Log, type Secret } from '../../kernel/index.ts';
import {
  chainToRoot,
  checkAuthorityChain,
  type ParsedCertificate,
  parseCertificate,
  whyNoCrls,
} from '../../pki/index.ts';
import type { AuditLog, AuthorityRecord, AuthorityStore, KeyManager } from '../ports/index.ts';
import { bundleRoots } from './decide.ts';
import type { GivenRoot } from './given-root.ts';
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

/**
 * Takes an existing authority over at the first start; later starts find it in the store. What it may do follows from
 * its own certificate: with room below it (no path length, or at least 1) it signs our issuing authorities; with path
 * length 0, as Istio's own scripts make it, it signs leaves itself. Where another root is active nothing is taken over: roots
 * change by rotation.
 * @throws CitadelError FailedPrecondition where chain, key and store do not fit together
 */
export async function importExistingAuthority(options: ImportOptions): Promise<void> {
  const { existing, store, clock, log } = options;
  const certificate = parseCertificate(existing.certificate);
  const known = await store.list();
  if (known.some(({ fingerprint }) => fingerprint === certificate.fingerprint)) return;
  if (known.some(({ kind, state }) => kind === 'root' && state === 'active')) {
    log.warn(
      'the configuration names an existing authority, and another root is active: nothing is taken over; to rotate to it: citadel rotate start --from existing',
      { named: certificate.fingerprint },
    );
    return;
  }
  const root = await checkChain(options, certificate);
  const { records, signs, keyBackend } = await place(options, certificate, root, 'active');
  const others = existing.roots
    .filter((der) => parseCertificate(der).fingerprint !== root.fingerprint)
    .map((der) => keylessRoot(der, 'old', clock));
  await store.save(...records, ...others);
  await options.audit.append({
    at: clock.now(),
    action: 'authority.import',
    outcome: 'allowed',
    subject: 'server',
    proof: 'none',
    target: certificate.fingerprint,
    reason: 'an existing authority is taken over by configuration',
    details: {
      root: root.fingerprint,
      signs,
      keyBackend,
    },
  });
  const noCrls = signsLeaves(certificate) ? whyNoCrls(certificate) : undefined;
  if (noCrls !== undefined)
    log.warn('the existing authority signs no CRLs: proxies will refuse no revoked certificate', {
      cause: noCrls,
    });
  log.info('took over an existing authority', { subject: certificate.subject, root: root.fingerprint });
}

/**
 * An existing authority as the next root of a rotation.
 * @throws CitadelError FailedPrecondition where its chain is unfit, or its file names roots that are not trusted yet beside
 *   its own: a rotation brings one
 */
export async function givenByImport(options: Omit<ImportOptions, 'audit' | 'log'>): Promise<GivenRoot> {
  const { existing, store } = options;
  const certificate = parseCertificate(existing.certificate);
  const root = await checkChain(options, certificate);
  const trusted = new Set(bundleRoots(await store.list()).map(({ fingerprint }) => fingerprint));
  const more = existing.roots
    .map((der) => parseCertificate(der))
    .filter(({ fingerprint }) => fingerprint !== root.fingerprint && !trusted.has(fingerprint));
  if (more.length > 0)
    throw new CitadelError(
      'FailedPrecondition',
      `a rotation brings one new root, and the configuration names more: leave out ${more.map(({ subject }) => subject).join(', ')}`,
    );
  const noCrls = signsLeaves(certificate) ? whyNoCrls(certificate) : undefined;
  return {
    root: root.der,
    ...(noCrls === undefined ? {} : { noCrls }),
    place: async () => (await place(options, certificate, root, 'prepared')).records,
  };
}

interface Placed {
  readonly records: readonly AuthorityRecord[];
  readonly signs: string;
  readonly keyBackend: string;
}

/** Puts its key into its home. */
async function place(
  options: Pick<ImportOptions, 'existing' | 'rootKeys' | 'issuingKeys' | 'serverId' | 'clock'>,
  certificate: ParsedCertificate,
  root: ParsedCertificate,
  state: 'active' | 'prepared',
): Promise<Placed> {
  const { existing, clock } = options;
  const directly = signsLeaves(certificate);
  const home = directly ? options.issuingKeys : await options.rootKeys();
  const signs = directly ? 'leaves' : 'issuing authorities';
  const keyId = await placeKey(certificate, existing, home, signs);
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
function signsLeaves({ pathLen }: ParsedCertificate): boolean {
  return pathLen === 0;
}

function keylessRoot(
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

async function placeKey(
  certificate: ParsedCertificate,
  existing: ExistingAuthority,
  home: KeyManager,
  signs: string,
): Promise<string> {
  const id = existing.keyId ?? `imported-${certificate.fingerprint.slice(0, 16)}`;
  const present = await home.get(id);
  const key = present ?? (existing.privateKey && (await home.import(id, await existing.privateKey())));
  if (!key) {
    throw new CitadelError(
      'FailedPrecondition',
      `the ${home.backend} key home, where an authority that signs ${signs} has its key, has no key ${id}, and none was given`,
    );
  }
  if (!Buffer.from(key.publicKey).equals(certificate.publicKey.spki)) {
    // What was given can be given again; what was in its home already is not ours to destroy.
    if (!present) await home.destroy(id);
    throw new CitadelError(
      'FailedPrecondition',
      'the private key does not belong to the authority’s certificate',
    );
  }
  return id;
}

/** @returns the root that the authority chains to */
async function checkChain(
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
