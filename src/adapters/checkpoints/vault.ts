import type { CheckpointPlace } from '../../domain/ports/index.ts';
import { CitadelError, isCitadelError } from '../../kernel/index.ts';
import { openVaultClient, requireMount, type VaultConnectionOptions } from '../vault/index.ts';

export interface VaultCheckpointOptions extends VaultConnectionOptions {
  /** Where a key-value engine of version 2 is mounted; `secret` by default. */
  readonly mount?: string;
  /** Of the one secret that keeps this server's checkpoints; `citadel/audit` by default. */
  readonly path?: string;
}

const member = 'checkpoint';

/**
 * A secret of a key-value engine of version 2, in Vault or OpenBao. Each version replaces the one that was read and no
 * other (check-and-set), so that what it swears to only grows. Least policy: deploy/vault/citadel-policy.hcl.
 * @throws CitadelError InvalidArgument for options that cannot be right
 */
export async function openVaultCheckpoints(options: VaultCheckpointOptions): Promise<CheckpointPlace> {
  const { mount = 'secret', path = 'citadel/audit' } = options;
  const at = (kind: string) => `${requireMount(mount)}/${kind}/${requireMount(path)}`;
  const [data, metadata] = [at('data'), at('metadata')] as const;
  const client = await openVaultClient(options);
  let seen: { readonly note: string | undefined; readonly version: number } | undefined;

  async function read(signal: AbortSignal): Promise<string | undefined> {
    const reply = await client.call({
      method: 'GET',
      path: data,
      permission: { path: data, capabilities: ['read'] },
      repeatable: true,
      signal,
    });
    const note = reply?.get('data').get('data').get(member).text();
    const version = reply?.get('data').get('metadata').get('version').number();
    if (note !== undefined && version !== undefined) {
      seen = { note, version };
      return note;
    }
    if (reply !== undefined)
      throw new CitadelError('DataLoss', 'the secret of the checkpoints in Vault holds something else', {
        details: data,
      });
    await requireNeverWritten(signal);
    seen = { note: undefined, version: 0 };
    return undefined;
  }

  /** Vault says of a deleted version what it says of none; its metadata tells them apart. */
  async function requireNeverWritten(signal: AbortSignal): Promise<void> {
    const reply = await client.call({
      method: 'GET',
      path: metadata,
      permission: { path: metadata, capabilities: ['read'] },
      repeatable: true,
      signal,
    });
    if ((reply?.get('data').get('current_version').number() ?? 0) > 0)
      throw new CitadelError('DataLoss', 'the last checkpoint in Vault was deleted: undelete it', {
        details: data,
      });
  }

  return {
    name: 'vault',
    last: read,
    async put(note, after, signal) {
      if (seen === undefined || seen.note !== after) await read(signal);
      if (seen?.note !== after || seen === undefined) throw changed();
      const { version } = seen;
      seen = undefined;
      try {
        const reply = await client.call({
          method: 'POST',
          path: data,
          body: { data: { [member]: note }, options: { cas: version } },
          permission: { path: data, capabilities: ['create', 'update'] },
          repeatable: false,
          signal,
        });
        const written = reply?.get('data').get('version').number();
        if (written !== undefined) seen = { note, version: written };
      } catch (error) {
        if (isCitadelError(error, 'FailedPrecondition') && error.details?.includes('check-and-set'))
          throw changed(error);
        throw error;
      }
    },
    close: () => client.close(),
  };
}

function changed(cause?: unknown): CitadelError {
  return new CitadelError('Aborted', 'another process writes checkpoints to this secret in Vault', { cause });
}
