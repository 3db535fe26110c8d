import type { VaultConnectionOptions } from '../adapters/vault/index.ts';
import type { KeyManager } from '../domain/ports/index.ts';
import type { Clock, Entropy, Log } from '../kernel/index.ts';
import type { ServerConfig } from './config/index.ts';

/** Builds the homes of the root's key and of the issuing keys. Each backend is loaded only where it is used. */
export interface KeyHomes {
  /** Opened at the first use, for its home may be away while issuing goes on; a failed opening is tried again. */
  readonly root: () => Promise<KeyManager>;
  /** The home of a root's key by its backend's name; undefined where the configuration knows none of it. */
  readonly rootOf: (backend: string) => Promise<KeyManager | undefined>;
  readonly issuing: KeyManager;
  close(): Promise<void>;
}

interface Ports {
  readonly clock: Clock;
  readonly entropy: Entropy;
  readonly log: Log;
}

export async function openKeyHomes(config: ServerConfig, ports: Ports): Promise<KeyHomes> {
  const issuing = await openLocal(config.issuingKeys, ports.log);
  const root = openLater(() => openRoot(config.keys, ports));
  const { formerKeys } = config;
  const former = formerKeys && openLater(() => openRoot(formerKeys, ports));
  return {
    issuing,
    root: () => root.get(),
    async rootOf(backend) {
      if (backend === config.keys.kind) return root.get();
      return backend === formerKeys?.kind ? former?.get() : undefined;
    },
    async close() {
      await root.close();
      await former?.close();
      await issuing.close();
    },
  };
}

function openLater(open: () => Promise<KeyManager>) {
  let opened: Promise<KeyManager> | undefined;
  return {
    get() {
      opened ??= open().catch((error: unknown) => {
        opened = undefined;
        throw error;
      });
      return opened;
    },
    close: async () => (await opened?.catch(() => undefined))?.close(),
  };
}

type LocalKeys = ServerConfig['issuingKeys'];
type RootKeys = ServerConfig['keys'];

async function openLocal(keys: LocalKeys, log: Log): Promise<KeyManager> {
  if (keys.kind === 'memory') {
    const { createMemoryKeyManager } = await import('../adapters/keys/memory/index.ts');
    return createMemoryKeyManager();
  }
  if (keys.kind === 'pkcs11') {
    const { openPkcs11KeyManager } = await import('../adapters/keys/pkcs11/index.ts');
    return openPkcs11KeyManager({ ...keys.value, log });
  }
  const { openDiskKeyManager } = await import('../adapters/keys/disk/index.ts');
  const { directory, encryption } = keys.value;
  return openDiskKeyManager({
    directory,
    encryption:
      encryption.kind === 'keyFile'
        ? { kind: 'key-file', path: encryption.value }
        : { kind: 'passphrase', passphrase: encryption.value },
    log,
  });
}

async function openRoot(keys: RootKeys, { clock, entropy, log }: Ports): Promise<KeyManager> {
  if (keys.kind !== 'vault') return openLocal(keys, log);
  const { openVaultKeyManager } = await import('../adapters/keys/vault/index.ts');
  return openVaultKeyManager({
    ...vaultConnection(keys.value),
    mount: keys.value.mount,
    clock,
    entropy,
    log,
  });
}

type VaultConfig = Extract<RootKeys, { kind: 'vault' }>['value'];

/** The connection settings as the Vault adapters take them. */
export function vaultConnection(
  config: Omit<VaultConfig, 'mount'>,
): Omit<VaultConnectionOptions, keyof Ports> {
  const { address, namespace, caFile, timeout, auth } = config;
  return {
    address,
    timeout,
    auth: vaultAuth(auth),
    ...(namespace === undefined ? {} : { namespace }),
    ...(caFile === undefined ? {} : { caFile }),
  };
}

function vaultAuth(auth: VaultConfig['auth']): VaultConnectionOptions['auth'] {
  switch (auth.kind) {
    case 'token':
      return { kind: 'token', token: auth.value };
    case 'approle':
      return { kind: 'approle', ...auth.value };
    case 'kubernetes':
      return { kind: 'kubernetes', ...auth.value };
  }
}
