import { createHash } from 'node:crypto';
import { CitadelError, type Clock, describeError, inTurn, type Log } from '../../kernel/index.ts';
import {
  type CertificateSigner,
  createCertificateRequest,
  createLeafIssuer,
  type KeyAlgorithm,
  type LeafIssuer,
  parseCertificate,
  toPem,
} from '../../pki/index.ts';
import type {
  AuditLog,
  AuthorityRecord,
  AuthorityStore,
  KeyManager,
  Metrics,
  SigningKey,
  UpstreamAuthority,
} from '../ports/index.ts';
import type { BundleChoice, BundleSource, TrustBundleSnapshot } from '../trust/index.ts';
import { type Bundles, bundleFor, readBundles, sameBundles } from './bundles.ts';
import { decideIssuing, type IssuingAction, type IssuingRotationPolicy } from './decide.ts';
import { issuingAlgorithm } from './issuing-algorithm.ts';
import { authorityRecord } from './record.ts';
import { servedChain } from './served-chain.ts';

export interface AuthorityServiceOptions {
  readonly trustDomain: string;
  /** Which server process this is: replicas share no issuing key. */
  readonly serverId: string;
  readonly store: AuthorityStore;
  /** Who is given the roots that are staged. Absent: nobody is. */
  readonly choice?: () => Promise<BundleChoice | undefined>;
  readonly audit: AuditLog;
  /** Where issuing keys live: on this machine, so that a restart while the root's home is away goes on issuing. */
  readonly issuingKeys: KeyManager;
  /** Signs new issuing authorities. Asked for when it is needed, so that its home may be away meanwhile. */
  readonly upstream: () => Promise<UpstreamAuthority>;
  readonly issuing: {
    /** Undefined: as issuingAlgorithm has it. */
    readonly algorithm: KeyAlgorithm | undefined;
    /** Milliseconds. */
    readonly lifetime: number;
    /** Milliseconds; at least an hour, for clients whose clocks are slow. */
    readonly backdate: number;
    readonly rotation: IssuingRotationPolicy;
  };
  /** Who answers for the CRLs; absent: nobody does. */
  readonly crls?: {
    /** Signs the first CRL of an authority before anybody knows of it. */
    born(authority: AuthorityRecord, signer: CertificateSigner): Promise<void>;
    /** Whether verifiers would take leaves of this authority in place of the present one's. */
    mayActivate(authority: AuthorityRecord, present: AuthorityRecord | undefined): Promise<boolean>;
  };
  readonly metrics: Pick<Metrics, 'authorityExpires' | 'authorityLife'>;
  readonly clock: Clock;
  readonly log: Log;
}

/** The issuing authority that signs now, and the bundle that everybody is handed with a leaf. */
export interface ActiveIssuer {
  readonly record: AuthorityRecord;
  readonly leafIssuer: LeafIssuer;
  /** When the first certificate above the leaf ends. */
  readonly chainNotAfter: Date;
  /** PEM of the issuing certificate and those between it and the root, and cross certificates of that; one an element. */
  readonly chainPem: readonly string[];
  readonly bundle: TrustBundleSnapshot;
}

export interface AuthorityService extends BundleSource {
  /** Loads what is stored and does what is due. @throws CitadelError when nothing can be issued at the end of it */
  start(): Promise<void>;
  /** Does what is due; safe to repeat. */
  tick(): Promise<void>;
  /** Changes what is stored of issuing authorities, while no tick does. */
  change<T>(work: () => Promise<T>): Promise<T>;
  /** @throws CitadelError Unavailable when no issuing authority is fit to sign */
  issuer(): ActiveIssuer;
  /** Whether certificates of this issuer, by its fingerprint, are to be replaced: it is tainted, and another one signs. */
  isSuperseded(issuer: string): boolean;
  /** Called when that may have changed. @returns the way to stop it */
  onSuperseded(listener: () => void): () => void;
  /** All authorities known, for verification of our own leaves and for status. */
  records(): readonly AuthorityRecord[];
}

export function createAuthorityService(options: AuthorityServiceOptions): AuthorityService {
  const { store, audit, issuingKeys, clock, log, serverId } = options;
  const listeners = new Set<() => void>();
  const supersededListeners = new Set<() => void>();
  let records: readonly AuthorityRecord[] = [];
  let active: Omit<ActiveIssuer, 'bundle'> | undefined;
  let bundles: Bundles | undefined;
  let following: Promise<void> | undefined;
  /** One at a time: who writes a record that he read before would undo what another has written of it. */
  const change = inTurn();

  const ownIssuing = () =>
    records.filter((record) => record.kind === 'issuing' && record.serverId === serverId);
  /** Without those whose keys are in another home, which was ours before: they make way for new ones. */
  const usableIssuing = () => ownIssuing().filter(({ keyBackend }) => keyBackend === issuingKeys.backend);
  const activeRoot = () => records.find(isActiveRoot);

  async function reload(): Promise<void> {
    records = await store.list();
    const before = bundles;
    bundles = await readBundles(records, options);
    tellExpiry('root', records);
    tellExpiry('issuing', ownIssuing());
    // A root that leaves the bundle takes its cross certificate along.
    if (active) active = { ...active, chainPem: chainPemOf(active.record) };
    if (before && !sameBundles(before, bundles)) for (const listener of listeners) listener();
  }

  function tellExpiry(kind: 'root' | 'issuing', among: readonly AuthorityRecord[]): void {
    const [first] = among
      .filter((record) => record.kind === kind && record.state === 'active')
      .toSorted((a, b) => a.notAfter.getTime() - b.notAfter.getTime());
    if (!first) return;
    options.metrics.authorityExpires(kind, first.notAfter);
    options.metrics.authorityLife(kind, first.notBefore, first.notAfter);
  }

  async function activate(record: AuthorityRecord): Promise<void> {
    const signer = await issuingKeys.get(record.keyId);
    if (!signer) {
      throw new CitadelError('FailedPrecondition', `the issuing authority ${record.id} has lost its key`, {
        details: `key ${record.keyId} is not in the ${issuingKeys.backend} key home`,
      });
    }
    active = describeActive(record, signer);
  }

  function describeActive(record: AuthorityRecord, signer: CertificateSigner): Omit<ActiveIssuer, 'bundle'> {
    const root = records.find(({ fingerprint }) => fingerprint === record.rootFingerprint);
    const chain = [record.certificate, ...record.intermediates];
    const ends = [...chain, ...(root ? [root.certificate] : [])].map((der) =>
      parseCertificate(der).notAfter.getTime(),
    );
    return {
      record,
      leafIssuer: createLeafIssuer({ issuerCertificate: record.certificate, signer }),
      chainNotAfter: new Date(Math.min(...ends)),
      chainPem: chainPemOf(record),
    };
  }

  function chainPemOf(record: AuthorityRecord): readonly string[] {
    return servedChain(record, records, clock.now()).map((der) => toPem(der));
  }

  async function prepare(): Promise<AuthorityRecord> {
    const upstream = await options.upstream();
    const now = clock.now();
    const id = nextIssuingId(ownIssuing(), serverId);
    const key = await issuingKey(id);
    const commonName = `Citadel issuing authority ${id.slice('issuing-'.length)}`;
    const chain = await upstream.signIssuingAuthority({
      certificateRequest: await createCertificateRequest({ signer: key, subject: commonName }),
      publicKey: key.publicKey,
      commonName,
      notBefore: new Date(now.getTime() - options.issuing.backdate),
      notAfter: new Date(now.getTime() + options.issuing.lifetime),
    });
    const root = authorityRecord({
      kind: 'root',
      state: 'active',
      keyBackend: 'upstream',
      keyId: upstream.kind,
      certificate: chain.root,
      createdAt: now,
    });
    // Anew from the store: the upstream may just have made the first root, whose record says where its key is.
    const stored = await store.list();
    const known = stored.some(({ fingerprint }) => fingerprint === root.fingerprint);
    const record = authorityRecord({
      id,
      kind: 'issuing',
      state: 'prepared',
      keyBackend: issuingKeys.backend,
      keyId: key.id,
      certificate: chain.certificate,
      intermediates: chain.intermediates,
      rootFingerprint: root.fingerprint,
      serverId,
      createdAt: now,
    });
    // Also one that is trusted: roots change by rotation alone.
    if (stored.some((each) => isActiveRoot(each) && each.fingerprint !== root.fingerprint)) {
      throw new CitadelError(
        'FailedPrecondition',
        'the upstream signed under another root than the active one: rotate to it (citadel rotate start --from upstream)',
        {
          details: `root fingerprint ${root.fingerprint}`,
        },
      );
    }
    await options.crls?.born(record, key);
    await store.save(...(known ? [record] : [root, record]));
    await note('authority.prepare', record.id, `issued under root ${record.rootFingerprint}`);
    return record;
  }

  /** Finds what an earlier try has made. */
  async function issuingKey(id: string): Promise<SigningKey> {
    // From the store: the upstream may just have made the first root.
    const root = (await store.list()).find(isActiveRoot);
    const above = root && parseCertificate(root.certificate).publicKey.algorithm;
    const algorithm = issuingAlgorithm(options.issuing.algorithm, above);
    const found = await issuingKeys.get(id);
    if (found?.algorithm === algorithm) return found;
    if (found) await issuingKeys.destroy(id);
    return issuingKeys.generate(id, algorithm);
  }

  async function perform(action: IssuingAction): Promise<void> {
    if (action.kind === 'prepare') {
      await prepare();
      return;
    }
    const record = ownIssuing().find(({ id }) => id === action.id);
    if (!record) return;
    if (action.kind === 'activate') {
      await activate(record);
      const before = ownIssuing().filter(({ state, id }) => state === 'active' && id !== record.id);
      await store.save(...before.map((old) => ({ ...old, state: 'old' as const })), {
        ...record,
        state: 'active',
      });
      await note('authority.activate', record.id, 'signs from now on');
      return;
    }
    if (active?.record.id === record.id) active = undefined;
    // First the key: who is cut off here finds the record, and does it again.
    await issuingKeys.destroy(record.keyId);
    await store.save({ ...record, state: 'retired' });
    await note('authority.retire', record.id, 'its certificate has ended');
  }

  async function isTimeFor(action: IssuingAction): Promise<boolean> {
    const next = action.kind === 'activate' && ownIssuing().find(({ id }) => id === action.id);
    const present = ownIssuing().find(({ id }) => id === active?.record.id);
    return !next || !options.crls || options.crls.mayActivate(next, present);
  }

  async function note(action: string, target: string, reason: string): Promise<void> {
    log.info(`${action} ${target}`, { reason });
    await audit.append({
      at: clock.now(),
      action,
      outcome: 'allowed',
      subject: 'server',
      proof: 'none',
      target,
      reason,
      details: { serverId },
    });
  }

  /** Nobody is told to come while he would get a certificate of a tainted authority once more. */
  function superseded(): ReadonlySet<string> {
    const tainted = new Set(records.filter((record) => record.tainted).map(({ fingerprint }) => fingerprint));
    return active && !tainted.has(active.record.fingerprint) ? tainted : new Set();
  }

  async function runDue(): Promise<void> {
    const before = superseded().size;
    await doDue();
    if (superseded().size > before) for (const listener of supersededListeners) listener();
  }

  async function doDue(): Promise<void> {
    await reload();
    // An action changes what is due next: each that has ended goes, one is prepared, and activated.
    const mostSteps = ownIssuing().length + 4;
    for (let step = 0; step < mostSteps; step++) {
      const [action] = decideIssuing(
        usableIssuing(),
        activeRoot()?.fingerprint ?? '',
        options.issuing.rotation,
        clock.now(),
      );
      if (!action || !(await isTimeFor(action))) break;
      await perform(action);
      await reload();
    }
  }

  /** One that waits for its turn serves all that ask meanwhile; one that has begun may have looked before their change. */
  function tick(): Promise<void> {
    following ??= change(() => {
      following = undefined;
      return runDue();
    });
    return following;
  }

  function loaded(): Bundles {
    if (!bundles) throw new CitadelError('Unavailable', 'the trust bundle is not loaded yet');
    return bundles;
  }

  return {
    tick,
    change,
    async start() {
      await reload();
      const current = usableIssuing().find(
        ({ state, notAfter }) => state === 'active' && notAfter > clock.now(),
      );
      if (current) await activate(current);
      try {
        await tick();
      } catch (error) {
        if (!active) throw error;
        log.warn('could not renew the issuing authority; going on with the present one', {
          cause: describeError(error),
          endsAt: active.record.notAfter.toISOString(),
        });
      }
    },
    issuer() {
      if (!active || !bundles || active.chainNotAfter <= clock.now()) {
        throw new CitadelError('Unavailable', 'no issuing authority is fit to sign now; try again later');
      }
      return { ...active, bundle: bundles.everyones };
    },
    bundle: () => loaded().everyones,
    bundleFor: (reader) => bundleFor(loaded(), reader),
    onBundleChange(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    isSuperseded: (issuer) => superseded().has(issuer),
    onSuperseded(listener) {
      supersededListeners.add(listener);
      return () => supersededListeners.delete(listener);
    },
    records: () => records,
  };
}

/**
 * The same until there is a record of it, so that who was cut off after he had made the key finds it again; and another one
 * in a store of another history.
 */
function nextIssuingId(own: readonly AuthorityRecord[], serverId: string): string {
  const newest = own.reduce<AuthorityRecord | undefined>(
    (latest, each) => (latest && latest.createdAt >= each.createdAt ? latest : each),
    undefined,
  );
  const name = createHash('sha256').update(`${serverId} after ${newest?.fingerprint ?? 'none'}`);
  return `issuing-${name.digest('hex').slice(0, 16)}`;
}

function isActiveRoot({ kind, state }: AuthorityRecord): boolean {
  return kind === 'root' && state === 'active';
}
