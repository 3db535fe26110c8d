import type {
  DecisionRecord,
  DecisionRecordStore,
  ForgottenDecisions,
} from '../../src/domain/ports/index.ts';
import { decisionKey } from '../../src/domain/records/index.ts';
import { page } from './pages.ts';

export function memoryDecisionRecords(): DecisionRecordStore {
  const rows = new Map<string, { readonly sequence: number; readonly record: DecisionRecord }>();
  let saved = 0;
  let forgotten: ForgottenDecisions | undefined;
  const forget = (record: DecisionRecord) => {
    rows.delete(decisionKey(record));
    const { calls = 0, until = record.last } = forgotten ?? {};
    forgotten = { calls: calls + record.count, until: until > record.last ? until : record.last };
  };
  return {
    async save(records) {
      for (const record of records) {
        const key = decisionKey(record);
        if (record.count === 0) rows.delete(key);
        else rows.set(key, { sequence: rows.get(key)?.sequence ?? ++saved, record: structuredClone(record) });
      }
    },
    async find({ limit, pageToken, workloads, since }) {
      const found = [...rows.values()]
        .filter(({ record }) => workloads?.includes(record.workload) ?? true)
        .filter(({ record }) => since === undefined || record.last >= since)
        .toSorted((a, b) => b.sequence - a.sequence);
      const { items, ...next } = page(found, ({ sequence }) => sequence, limit, pageToken, {
        of: 'decisions',
        workloads,
        since,
      });
      return { items: items.map(({ record }) => record), ...next };
    },
    async prune(before, most) {
      const count = rows.size;
      for (const { record } of rows.values()) if (record.last < before) rows.delete(decisionKey(record));
      const oldest = [...rows.values()].toSorted(
        (a, b) => a.record.period.getTime() - b.record.period.getTime() || a.sequence - b.sequence,
      );
      for (const { record } of oldest.slice(0, Math.max(0, oldest.length - most))) forget(record);
      return count - rows.size;
    },
    forgotten: async () => forgotten,
  };
}
