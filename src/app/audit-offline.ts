import type { AuditReader } from '../adapters/store/sqlite/index.ts';
import {
  createKeptPlaces,
  lastRevocation,
  type Standing,
  signCheckpoint,
  standingOf,
} from '../domain/audit/index.ts';
import type { CheckpointPlace, TreeHead } from '../domain/ports/index.ts';
import { type Log, systemClock, systemEntropy } from '../kernel/index.ts';
import { openCheckpoints } from './audit-checkpoints.ts';
import type { ServerConfig } from './config/index.ts';
import { openKeyHomes } from './key-homes.ts';
import { loadServerId } from './server-id.ts';

/** The record of a store that no server has open. @throws CitadelError FailedPrecondition */
export async function openStoredRecord(file: string): Promise<AuditReader> {
  const { openAuditReader } = await import('../adapters/store/sqlite/index.ts');
  return openAuditReader(file);
}

/** A server that is stopped, and what its places say of its store. */
export interface StoppedServer extends AsyncDisposable {
  readonly head: TreeHead;
  readonly standings: readonly { readonly place: string; readonly standing: Standing }[];
  /**
   * Puts it on record that the store is taken as it is, and swears to it in the places that disagree.
   * @returns how many entries the record has then
   */
  accept(by: string, reason: string): Promise<number>;
}

const deadline = 30_000;

/** @throws CitadelError FailedPrecondition while the server runs; what a place that is away throws */
export async function openStoppedServer(config: ServerConfig, log: Log): Promise<StoppedServer> {
  await using building = new AsyncDisposableStack();
  const ports = { clock: systemClock, entropy: systemEntropy, log };
  const { openSqliteStore } = await import('../adapters/store/sqlite/index.ts');
  const store = building.adopt(
    await openSqliteStore({ file: config.store.value.file, clock: systemClock, log }),
    (opened) => opened.close(),
  );
  const serverId = await loadServerId(config.dataDirectory, systemEntropy);
  const homes = building.adopt(await openKeyHomes(config, ports), (opened) => opened.close());
  const { places, service, signer } = building.adopt(
    await openCheckpoints({ config, serverId, store, homes, ...ports }),
    (opened) => opened.close(),
  );
  const { key } = service;
  const looked = await Promise.all(
    places.flatMap((place) => (place.last ? [lookAt(place, place.last)] : [])),
  );

  async function lookAt(place: CheckpointPlace, last: NonNullable<CheckpointPlace['last']>) {
    const note = await last(AbortSignal.timeout(deadline));
    const kept = await createKeptPlaces(store.audit, systemClock).has(place.name);
    return { place, note, standing: await standingOf(note, key, store.audit, kept) };
  }

  const opened = building.move();
  return {
    head: await store.audit.head(),
    standings: looked.map(({ place, standing }) => ({ place: place.name, standing })),
    async accept(by, reason) {
      const disagreeing = looked.filter(({ standing }) => headGivenUp(standing) !== undefined);
      const details = disagreeing.map(({ place, standing }) => {
        const { size = 0, root } = headGivenUp(standing) ?? {};
        return [place.name, `${size} ${root ? Buffer.from(root).toString('base64') : 'unknown'}`];
      });
      await store.audit.append({
        at: systemClock.now(),
        action: 'audit.accept',
        outcome: 'allowed',
        subject: by,
        proof: 'data-directory',
        target: key.name,
        reason,
        details: Object.fromEntries(details),
      });
      await store.issuance.noteUnrecorded(lastOfUnrecorded(config));
      const head = await store.audit.head();
      for (const { place, note, standing } of disagreeing) {
        const abandoned = headGivenUp(standing);
        const at = systemClock.now();
        const signed = await signCheckpoint(
          {
            ...head,
            at,
            revoked: await lastRevocation(store.audit),
            ...(abandoned?.root ? { abandoned: { size: abandoned.size, root: abandoned.root } } : {}),
          },
          key,
          signer,
        );
        await place.put(signed, note, AbortSignal.timeout(deadline));
      }
      return head.size;
    },
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  };
}

/** When the last certificate has ended that a store does not know which is set back now. */
export function lastOfUnrecorded({ certificate }: ServerConfig): Date {
  return new Date(systemClock.now().getTime() + certificate.maximumTtl);
}

/** What was sworn to and does not hold; of what is not ours nothing is known. */
function headGivenUp(
  standing: Standing,
): { readonly size: number; readonly root: Uint8Array | undefined } | undefined {
  switch (standing.kind) {
    case 'none':
    case 'follows':
      return undefined;
    case 'gone':
    case 'foreign':
      return { size: 0, root: undefined };
    case 'behind':
    case 'differs':
      return standing.checkpoint;
  }
}
