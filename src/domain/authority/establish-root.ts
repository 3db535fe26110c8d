import { CitadelError, type Clock, type Entropy, type Log } from '../../kernel/index.ts';
import { createRootCertificate, type KeyAlgorithm } from '../../pki/index.ts';
import type {
  AuditLog,
  AuthorityRecord,
  AuthorityStore,
  KeyManager,
  UpstreamAuthority,
} from '../ports/index.ts';
import { authorityRecord } from './record.ts';
import { createRootUpstream } from './root-upstream.ts';

export interface EstablishRootOptions {
  readonly trustDomain: string;
  readonly store: AuthorityStore;
  readonly audit: AuditLog;
  /** The home of a first root's key. */
  readonly keys: () => Promise<KeyManager>;
  /** The home of a key that exists, by its backend's name; undefined where the configuration knows none of it. */
  readonly keysOf: (backend: string) => Promise<KeyManager | undefined>;
  readonly root: {
    readonly algorithm: KeyAlgorithm;
    /** Milliseconds. */
    readonly lifetime: number;
    readonly backdate: number;
  };
  readonly clock: Clock;
  readonly entropy: Entropy;
  readonly log: Log;
}

/**
 * Finds the authority that signs issuing authorities, or makes a first root where the store knows none.
 * @throws CitadelError FailedPrecondition where store and key home do not belong together: a new root in that state
 *   would cut off everybody who trusts the old one
 */
export async function establishRoot(options: EstablishRootOptions): Promise<UpstreamAuthority> {
  const records = await options.store.list();
  const root = records.find(({ kind, state }) => kind === 'root' && state === 'active');
  return root ? loadRoot(records, root, options) : makeRoot(options);
}

async function loadRoot(
  records: readonly AuthorityRecord[],
  root: AuthorityRecord,
  options: EstablishRootOptions,
): Promise<UpstreamAuthority> {
  const { trustDomain } = options;
  const authority = records.find(({ kind, state }) => kind === 'intermediate' && state === 'active') ?? root;
  if (authority.keyBackend === 'none') {
    throw new CitadelError(
      'FailedPrecondition',
      'the key that signs issuing authorities is elsewhere; give the authority a new issuing certificate before the present one ends',
    );
  }
  const keys = await options.keysOf(authority.keyBackend);
  if (!keys) {
    throw new CitadelError(
      'FailedPrecondition',
      `the root's key is in the ${authority.keyBackend} key home, which the configuration does not name: put the setting back, or name it in formerKeys and rotate the root`,
    );
  }
  const signer = await keys.get(authority.keyId);
  if (!signer) {
    throw new CitadelError(
      'FailedPrecondition',
      `the ${keys.backend} key home does not hold the root's key: restore it, or point the configuration at the right one`,
      { details: `key id ${authority.keyId}` },
    );
  }
  return createRootUpstream({ trustDomain, authority, root: root.certificate, signer, clock: options.clock });
}

async function makeRoot(options: EstablishRootOptions): Promise<UpstreamAuthority> {
  const { store, audit, clock, trustDomain } = options;
  const keys = await options.keys();
  const orphans = (await keys.list()).filter(({ id }) => id.startsWith('root-'));
  if (orphans.length > 0) {
    throw new CitadelError(
      'FailedPrecondition',
      `the ${keys.backend} key home holds a root's key that the store does not know: restore the store from a backup, or remove the key ${orphans.map(({ id }) => id).join(', ')} if it was never used`,
    );
  }
  const now = clock.now();
  const keyId = `root-${Buffer.from(options.entropy.bytes(8)).toString('hex')}`;
  const signer = await keys.generate(keyId, options.root.algorithm);
  try {
    const certificate = await createRootCertificate({
      signer,
      subject: `Citadel root ${keyId.slice('root-'.length)}`,
      notBefore: new Date(now.getTime() - options.root.backdate),
      notAfter: new Date(now.getTime() + options.root.lifetime),
      trustDomain,
    });
    const record = authorityRecord({
      kind: 'root',
      state: 'active',
      keyBackend: keys.backend,
      keyId,
      certificate,
      createdAt: now,
    });
    await store.save(record);
    await audit.append({
      at: now,
      action: 'authority.create',
      outcome: 'allowed',
      subject: 'server',
      proof: 'none',
      target: record.id,
      reason: 'first start: the store knew no root',
      details: { fingerprint: record.fingerprint, keyBackend: keys.backend },
    });
    options.log.info('made the first root', { authority: record.id, fingerprint: record.fingerprint });
    return createRootUpstream({ trustDomain, authority: record, root: certificate, signer, clock });
  } catch (error) {
    // Without its record the key would look like a lost store's at the next start.
    await keys.destroy(keyId).catch(() => {});
    throw error;
  }
}
