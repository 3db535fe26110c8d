import type { CheckpointService } from '../../../domain/audit/index.ts';
import type { AuditLog, IssuanceStore } from '../../../domain/ports/index.ts';
import type * as wire from '../../../gen/citadel/v1/operator.ts';
import { CitadelError } from '../../../kernel/index.ts';

export interface AuditLogServices {
  readonly audit: Pick<AuditLog, 'inclusion' | 'entries' | 'findIssued'>;
  readonly issuance: Pick<IssuanceStore, 'get'>;
  readonly checkpoints: Pick<CheckpointService, 'keyText' | 'sign' | 'states'>;
}

const largestPage = 1000;
/** Bytes of entries in one answer: a client takes 4 MiB. */
const largestReply = 1024 * 1024;
const serialForm = /^[0-9a-f]{1,40}$/;
/** Milliseconds from the intent of a certificate to its entry, at the most: no request lives as long. */
const longestIssuance = 600_000;

export async function getAuditLog({ checkpoints }: AuditLogServices): Promise<wire.AuditLogHead> {
  const { size, root, note } = await checkpoints.sign();
  return {
    size: BigInt(size),
    root: Buffer.from(root),
    key: checkpoints.keyText,
    checkpoint: note,
    places: checkpoints.states().map((state) => ({
      name: state.place,
      size: state.size === undefined ? undefined : BigInt(state.size),
      problem: state.problem ?? '',
      since: state.since,
      disagrees: state.disagrees,
    })),
  };
}

export async function listAuditEntries(
  { audit }: AuditLogServices,
  { after, pageSize }: wire.ListAuditEntriesRequest,
): Promise<wire.ListAuditEntriesResponse> {
  if (pageSize < 0 || pageSize > largestPage)
    throw new CitadelError('InvalidArgument', `the page size must be from 1 to ${largestPage}`);
  const page = await audit.entries(Number(after), pageSize || largestPage);
  let bytes = 0;
  const fitting = page.findIndex(({ entry }) => {
    bytes += entry.length;
    return bytes > largestReply;
  });
  // One at least, or nobody would come past it.
  const entries = fitting < 0 ? page : page.slice(0, Math.max(1, fitting));
  return {
    entries: entries.map(({ sequence, entry, hashes }) => ({
      sequence: BigInt(sequence),
      entry: Buffer.from(entry),
      hashes: Buffer.from(hashes),
    })),
  };
}

export async function proveAuditEntry(
  services: AuditLogServices,
  request: wire.ProveAuditEntryRequest,
): Promise<wire.AuditEntryProof> {
  const { audit, checkpoints } = services;
  const sequence =
    request.serial === '' ? Number(request.sequence) : await issuedBy(services, request.serial);
  const { size, note } = await checkpoints.sign();
  if (sequence < 1 || sequence > size)
    throw new CitadelError('NotFound', `there is no such entry; the record has ${size}`);
  const [stored] = await audit.entries(sequence - 1, 1);
  if (stored?.sequence !== sequence)
    throw new CitadelError('DataLoss', 'the entry is missing; citadel log verify says more');
  const path = await audit.inclusion(sequence, size);
  return {
    sequence: BigInt(sequence),
    entry: Buffer.from(stored.entry),
    path: path.map((hash) => Buffer.from(hash)),
    checkpoint: note,
  };
}

async function issuedBy({ audit, issuance }: AuditLogServices, serial: string): Promise<number> {
  if (!serialForm.test(serial))
    throw new CitadelError('InvalidArgument', 'the serial must be lower-case hexadecimal, without colons');
  const record = await issuance.get(serial);
  if (!record) throw new CitadelError('NotFound', 'no certificate of this serial was issued here');
  const { recordedAt } = record;
  const until = new Date(recordedAt.getTime() + longestIssuance);
  const sequence = await audit.findIssued(serial, recordedAt, until);
  if (sequence === undefined)
    throw new CitadelError('NotFound', 'no entry says that a certificate of this serial was handed out');
  return sequence;
}
