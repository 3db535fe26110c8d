import type { OperatorCaller } from '../../../domain/operators/index.ts';
import type * as wire from '../../../gen/citadel/v1/operator.ts';
import { CitadelError } from '../../../kernel/index.ts';
import { chunks } from './chunks.ts';
import { checkedReason } from './messages.ts';

export interface BackupServices {
  /** Absent where the store is none that is backed up from here. */
  readonly backup:
    | ((order: {
        readonly by: string;
        readonly proof: string;
        readonly reason: string;
      }) => AsyncIterable<Uint8Array>)
    | undefined;
}

export function createBackup(
  { backup }: BackupServices,
  { reason }: wire.CreateBackupRequest,
  caller: OperatorCaller,
): AsyncIterable<wire.CreateBackupResponse> {
  if (!backup)
    throw new CitadelError('Unimplemented', 'the store of this server is backed up by its own means');
  const order = { by: caller.subject, proof: caller.proof, reason: checkedReason(reason) };
  return chunks(backup(order));
}
