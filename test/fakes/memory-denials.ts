import { isIP } from 'node:net';
import { type DenialRecord, RecentDenials } from '../../src/domain/denials/index.ts';
import type { DenialQuery, DenialStore } from '../../src/domain/ports/index.ts';
import { page } from './pages.ts';

export function memoryDenials(): DenialStore {
  let recent: RecentDenials | undefined;
  const sequences = new Map<string, number>();
  return {
    async save(records, limits) {
      recent ??= new RecentDenials(limits);
      for (const record of records) {
        const { id } = record.entry.denial;
        if (!sequences.has(id)) sequences.set(id, sequences.size);
        recent.add(structuredClone(record));
      }
    },
    get: async (id) => recent?.get(id),
    async find({ limit, pageToken, ...query }) {
      const found = (recent?.list() ?? []).filter((record) => isAsked(record, query));
      const sequenceOf = ({ entry }: DenialRecord) => sequences.get(entry.denial.id) ?? 0;
      return page(found, sequenceOf, limit, pageToken, { of: 'denials', ...query });
    },
    prune: async (before) => recent?.prune(before) ?? 0,
  };
}

function isAsked({ entry, serviceAccount, told }: DenialRecord, { to, from, since }: Partial<DenialQuery>) {
  const { workload, callerId, callerAddress } = entry;
  const [namespace, name] = workload.split('/').slice(-2);
  const isTo =
    to === undefined || [workload, `${namespace}/${name}`, `${namespace}/${serviceAccount}`].includes(to);
  return isTo && isFrom() && (since === undefined || told >= since);

  function isFrom(): boolean {
    if (from === undefined) return true;
    if (from === '') return callerId === undefined;
    if (isIP(from) !== 0) return callerAddress === from;
    const [callerNamespace, account] = from.split('/', 2);
    return from.startsWith('spiffe://')
      ? callerId === from
      : callerId?.endsWith(`/ns/${callerNamespace}/sa/${account}`) === true;
  }
}
