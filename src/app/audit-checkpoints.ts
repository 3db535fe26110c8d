import {
  type CheckpointService,
  createCheckpointService,
  createKeptPlaces,
  noteKeyOf,
} from '../domain/audit/index.ts';
import type { CheckpointPlace, KeyManager, Metrics, SigningKey, Store } from '../domain/ports/index.ts';
import type { Clock, Entropy, Log } from '../kernel/index.ts';
import type { ServerConfig } from './config/index.ts';
import { type KeyHomes, vaultConnection } from './key-homes.ts';

export interface CheckpointsOptions {
  readonly config: Pick<ServerConfig, 'audit' | 'trustDomain'>;
  readonly serverId: string;
  readonly store: Pick<Store, 'audit'>;
  readonly homes: Pick<KeyHomes, 'issuing'>;
  readonly clock: Clock;
  readonly entropy: Entropy;
  readonly log: Log;
}

export interface OpenCheckpoints {
  readonly service: CheckpointService;
  readonly places: readonly CheckpointPlace[];
  readonly signer: SigningKey;
  /** Swears to the end of the record, unless told otherwise, and lets go of the places. */
  close(): Promise<void>;
}

/** Of the key that signs checkpoints, in the home of the issuing keys: it must be there when Vault is not. */
const keyId = 'audit-checkpoints';
const interval = 1000;

/**
 * Compares the store with what was sworn to, and swears to what is appended from now on.
 * @throws CitadelError FailedPrecondition where the store is behind, or another
 */
export async function startCheckpoints(
  options: CheckpointsOptions & { readonly metrics: Pick<Metrics, 'checkpoints'> },
): Promise<OpenCheckpoints> {
  const opened = await openCheckpoints(options);
  try {
    await opened.service.requireAgreement();
  } catch (error) {
    await opened.close();
    throw error;
  }
  const { service } = opened;
  options.metrics.checkpoints(() => service.states());
  const stopping = new AbortController();
  const { clock } = options;
  const running = (async () => {
    while (!stopping.signal.aborted) {
      // Not waited for: a place that is slow holds up no other.
      void service.tick();
      await clock.sleep(interval, stopping.signal).catch(() => {});
    }
  })();
  return {
    ...opened,
    async close() {
      stopping.abort();
      await running;
      await service.finish();
      await opened.close();
    },
  };
}

/** The places and the key alone: nothing is compared, and nothing written. */
export async function openCheckpoints(options: CheckpointsOptions): Promise<OpenCheckpoints> {
  const { config, serverId, store, homes, clock, log } = options;
  const { everyEntries, interval: pause } = config.audit.checkpoints;
  const signer = await signingKey(homes.issuing);
  const places = await openPlaces(options);
  const service = createCheckpointService({
    log: store.audit,
    places,
    kept: createKeptPlaces(store.audit, clock),
    key: noteKeyOf(`${config.trustDomain.name}/audit/${serverId}`, signer),
    signer,
    everyEntries,
    interval: pause,
    clock,
    logger: log,
  });
  return {
    service,
    places,
    signer,
    close: async () => {
      await Promise.all(places.map((place) => place.close()));
    },
  };
}

async function signingKey(home: KeyManager): Promise<SigningKey> {
  return (await home.get(keyId)) ?? home.generate(keyId, 'ed25519');
}

async function openPlaces({ config, clock, entropy, log }: CheckpointsOptions): Promise<CheckpointPlace[]> {
  const { file, stdout, vault } = config.audit.checkpoints;
  if (!file && !stdout && !vault) return [];
  const { createCheckpointFile, createCheckpointStream, openVaultCheckpoints } = await import(
    '../adapters/checkpoints/index.ts'
  );
  return [
    ...(file ? [createCheckpointFile({ path: file.path, log })] : []),
    ...(stdout ? [createCheckpointStream()] : []),
    ...(vault
      ? [
          await openVaultCheckpoints({
            ...vaultConnection(vault),
            mount: vault.mount,
            path: vault.path,
            clock,
            entropy,
            log,
          }),
        ]
      : []),
  ];
}
