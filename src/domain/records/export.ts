import type { DecisionRecordStore } from '../ports/index.ts';
import { formatRecord, formatRecordsHead } from './json-lines.ts';

export interface ExportQuery {
  /** Those whose last call was then or later. */
  readonly since: Date | undefined;
  /** `<cluster>/<namespace>/<name>`; empty: all. */
  readonly workloads: readonly string[];
  /** Of allowed calls by mutual TLS, how many in a hundred are told of. */
  readonly sample: number;
}

const pageSize = 500;

/** What the store has, as JSON Lines (the head first), page by page. */
export async function* exportRecords(
  store: Pick<DecisionRecordStore, 'find' | 'forgotten'>,
  { since, workloads, sample }: ExportQuery,
): AsyncGenerator<string> {
  yield `${formatRecordsHead({ sample, forgotten: await store.forgotten() })}\n`;
  let pageToken: string | undefined;
  do {
    const page = await store.find({
      limit: pageSize,
      ...(since ? { since } : {}),
      ...(workloads.length > 0 ? { workloads } : {}),
      ...(pageToken === undefined ? {} : { pageToken }),
    });
    if (page.items.length > 0) yield page.items.map((record) => `${formatRecord(record)}\n`).join('');
    pageToken = page.nextPageToken;
  } while (pageToken !== undefined);
}
