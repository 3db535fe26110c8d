import { CitadelError, type Clock, type Log, type Secret } from '../../kernel/index.ts';
import {
  chainToRoot,
  checkAuthorityChain,
  type ParsedCertificate,
  parseCertificate,
} from '../../pki/index.ts';
import type { AuditLog, AuthorityRecord, AuthorityStore, KeyManager } from '../ports/index.ts';
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
  readonly rootKeys: KeyManager;
  /** For a key that may sign leaves only. */
  readonly issuingKeys: KeyManager;
  readonly clock: Clock;
  readonly log: Log;
}

/**
 * Takes an existing authority over at the first start; later starts find it in the store. What it may do follows from
 * its own certificate: with room below it (no path length, or at least 1) it signs our issuing authorities; with path
 * length 0, as Istio's own scripts make it, it signs leaves itself.
 * @throws CitadelError FailedPrecondition where chain, key and store do not fit together
 */
export async function importExistingAuthority(options: ImportOptions): Promise<void> {
  const { existing, store, clock, log } = options;
  const certificate = parseCertificate(existing.certificate);
  const known = await store.list();
  if (known.some(({ fingerprint }) => fingerprint === certificate.fingerprint)) return;
  if (known.some(({ kind, state }) => kind === 'root' && state === 'active')) {
    throw new CitadelError(
      'FailedPrecondition',
      'the store already has a root; an existing authority is taken over at the first start only: rotate to it instead',
    );
  }
  const root = await checkChain(options, certificate);
  const directly = certificate.pathLen === 0;
  const home = directly ? options.issuingKeys : options.rootKeys;
  const signs = directly ? 'leaves' : 'issuing authorities';
  const keyId = await placeKey(certificate, existing, home, signs);
  const at = { createdAt: clock.now() };
  const isRoot = certificate.fingerprint === root.fingerprint;
  const records: AuthorityRecord[] = existing.roots.map((der) => {
    const own = isRoot && parseCertificate(der).fingerprint === root.fingerprint && !directly;
    return authorityRecord({
      ...at,
      kind: 'root',
      state: parseCertificate(der).fingerprint === root.fingerprint ? 'active' : 'old',
      keyBackend: own ? home.backend : 'none',
      keyId: own ? keyId : '',
      certificate: der,
    });
  });
  if (directly || !isRoot) {
    records.push(
      authorityRecord({
        ...at,
        kind: directly ? 'issuing' : 'intermediate',
        state: 'active',
        keyBackend: home.backend,
        keyId,
        certificate: existing.certificate,
        intermediates: existing.intermediates,
        rootFingerprint: root.fingerprint,
        ...(directly ? { serverId: options.serverId } : {}),
      }),
    );
  }
  await store.save(...records);
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
      keyBackend: home.backend,
    },
  });
  log.info('took over an existing authority', { subject: certificate.subject, root: root.fingerprint });
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
  { existing, trustDomain, clock }: ImportOptions,
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
