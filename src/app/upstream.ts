import { istioCacertsFiles, readExistingAuthority } from '../adapters/existing/index.ts';
import {
  type AuthorityService,
  type ExistingAuthority,
  establishRoot,
  givenByImport,
  givenByUpstream,
  importExistingAuthority,
} from '../domain/authority/index.ts';
import type { Store, UpstreamAuthority } from '../domain/ports/index.ts';
import type { FindGivenRoot } from '../domain/rotation/index.ts';
import { CitadelError, type Clock, type Entropy, type Log } from '../kernel/index.ts';
import { parseCertificate } from '../pki/index.ts';
import type { ServerConfig } from './config/index.ts';
import { type KeyHomes, vaultConnection } from './key-homes.ts';

export interface UpstreamOptions {
  readonly config: ServerConfig;
  readonly serverId: string;
  readonly store: Store;
  readonly homes: KeyHomes;
  readonly clock: Clock;
  readonly entropy: Entropy;
  readonly log: Log;
}

const hour = 3_600_000;
const fiveYears = 5 * 365 * 24 * hour;

/** What a new root is, where nothing else is asked for. Times in milliseconds. */
export function newRoot({ authority: { origin } }: ServerConfig) {
  const root =
    origin.kind === 'root' ? origin.value : { algorithm: 'ecdsa-p256' as const, lifetime: fiveYears };
  return { ...root, backdate: hour };
}

/** Takes an existing authority over where the configuration names one; nothing otherwise. */
export async function takeOverExisting(options: UpstreamOptions): Promise<void> {
  const { origin } = options.config.authority;
  if (origin.kind !== 'existing') return;
  await importExistingAuthority({ ...(await existingOf(options, origin.value)), audit: options.store.audit });
}

type Origin = ServerConfig['authority']['origin'];
type ExistingConfig = Extract<Origin, { kind: 'existing' }>['value'];
type UpstreamConfig = Extract<Origin, { kind: 'upstream' }>['value'];

async function existingOf(
  { config, serverId, store, homes, clock, log }: UpstreamOptions,
  source: ExistingConfig,
) {
  return {
    existing: await readNamedExisting(source),
    trustDomain: config.trustDomain.name,
    serverId,
    store: store.authorities,
    rootKeys: homes.root,
    issuingKeys: homes.issuing,
    clock,
    log,
  };
}

/** @throws CitadelError FailedPrecondition naming the file that is missing or not what it should be */
export async function readNamedExisting(source: ExistingConfig): Promise<ExistingAuthority> {
  const files = source.kind === 'istioCacerts' ? istioCacertsFiles(source.value) : source.value;
  const keyId = source.kind === 'pem' ? source.value.keyId : undefined;
  return { ...(await readExistingAuthority(files)), ...(keyId === undefined ? {} : { keyId }) };
}

/** The root that the configuration names, as the next one of a rotation. */
export function givenRoots(options: UpstreamOptions): FindGivenRoot {
  const { config, clock } = options;
  const { origin } = config.authority;
  return async (from) => {
    if (from === 'existing' && origin.kind === 'existing')
      return givenByImport(await existingOf(options, origin.value));
    if (from === 'upstream' && origin.kind === 'upstream')
      return givenByUpstream(await openUpstream(origin.value, options), clock);
    throw new CitadelError(
      'FailedPrecondition',
      `the configuration names no root to take: set authority.${from} and restart the server, which changes nothing else`,
    );
  };
}

/** Whether an upstream signs under the active root. */
export function signsElsewhere(authority: Pick<AuthorityService, 'records'>): boolean {
  return authority
    .records()
    .some(
      ({ kind, state, keyBackend }) => kind === 'root' && state === 'active' && keyBackend === 'upstream',
    );
}

/**
 * Who signs issuing authorities: asked when one is needed, so that its home may be away meanwhile. The active root decides, not
 * the configuration, which names the next one while roots are rotated.
 */
export function upstreamOf(options: UpstreamOptions): () => Promise<UpstreamAuthority> {
  const { config, store, homes, clock, entropy, log } = options;
  const { origin } = config.authority;
  return async () => {
    const active = (await store.authorities.list()).find(
      ({ kind, state }) => kind === 'root' && state === 'active',
    );
    if (active?.keyBackend === 'upstream') return upstreamUnder(active.fingerprint, options);
    if (!active && origin.kind === 'upstream') return openUpstream(origin.value, options);
    return establishRoot({
      trustDomain: config.trustDomain.name,
      store: store.authorities,
      audit: store.audit,
      keys: homes.root,
      keysOf: homes.rootOf,
      root: newRoot(config),
      clock,
      entropy,
      log,
    });
  };
}

/** The upstream whose root this is, of those that the configuration names. */
async function upstreamUnder(root: string, options: UpstreamOptions): Promise<UpstreamAuthority> {
  const { origin, formerUpstream } = options.config.authority;
  const named = [
    ...(origin.kind === 'upstream' ? [origin.value] : []),
    ...(formerUpstream ? [formerUpstream] : []),
  ];
  const failures: unknown[] = [];
  for (const each of named) {
    try {
      const upstream = await openUpstream(each, options);
      if (parseCertificate(await upstream.root()).fingerprint === root) return upstream;
    } catch (error) {
      failures.push(error);
    }
  }
  if (failures.length > 0) throw failures[0];
  throw new CitadelError(
    'FailedPrecondition',
    'the active root is of an upstream authority that the configuration does not name: put authority.upstream back, or name it in authority.formerUpstream and rotate the root',
  );
}

async function openUpstream(
  { value: pki }: UpstreamConfig,
  { clock, entropy, log }: Pick<UpstreamOptions, 'clock' | 'entropy' | 'log'>,
): Promise<UpstreamAuthority> {
  const { openVaultPkiUpstream } = await import('../adapters/upstream/vault-pki/index.ts');
  return openVaultPkiUpstream({
    ...vaultConnection(pki),
    mount: pki.mount,
    ...(pki.issuer === undefined ? {} : { issuer: pki.issuer }),
    clock,
    entropy,
    log,
  });
}
