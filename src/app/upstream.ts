import { istioCacertsFiles, readExistingAuthority } from '../adapters/existing/index.ts';
import { establishRoot, importExistingAuthority } from '../domain/authority/index.ts';
import type { Store, UpstreamAuthority } from '../domain/ports/index.ts';
import type { Clock, Entropy, Log } from '../kernel/index.ts';
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
  const { value: source } = origin;
  const files = source.kind === 'istioCacerts' ? istioCacertsFiles(source.value) : source.value;
  const keyId = source.kind === 'pem' ? source.value.keyId : undefined;
  await importExistingAuthority({
    existing: { ...(await readExistingAuthority(files)), ...(keyId === undefined ? {} : { keyId }) },
    trustDomain: options.config.trustDomain.name,
    serverId: options.serverId,
    store: options.store.authorities,
    audit: options.store.audit,
    rootKeys: await options.homes.root(),
    issuingKeys: options.homes.issuing,
    clock: options.clock,
    log: options.log,
  });
}

/** Who signs issuing authorities: asked when one is needed, so that its home may be away meanwhile. */
export function upstreamOf(options: UpstreamOptions): () => Promise<UpstreamAuthority> {
  const { config, store, homes, clock, entropy, log } = options;
  const { origin } = config.authority;
  if (origin.kind === 'upstream') {
    const { value: pki } = origin.value;
    return async () => {
      const { openVaultPkiUpstream } = await import('../adapters/upstream/vault-pki/index.ts');
      return openVaultPkiUpstream({
        ...vaultConnection(pki),
        mount: pki.mount,
        ...(pki.issuer === undefined ? {} : { issuer: pki.issuer }),
        clock,
        entropy,
        log,
      });
    };
  }
  return () =>
    establishRoot({
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
}
