import { encodeEntry, frontierAt, inclusionPath, leafHash, textsOf } from '../../src/domain/audit/index.ts';
import type { AuditLog, RecordedAuditEvent, StoredAuditEntry } from '../../src/domain/ports/index.ts';
import { CitadelError } from '../../src/kernel/index.ts';
import { checkLimit, page } from './pages.ts';

export function memoryAudit(): AuditLog {
  const events: RecordedAuditEvent[] = [];
  const stored: StoredAuditEntry[] = [];
  const kept = (leaf: number) => stored[leaf]?.hashes ?? new Uint8Array();
  const within = (position: number, least: number, most: number) => {
    if (!Number.isInteger(position) || position < least || position > most)
      throw new CitadelError('OutOfRange', `must be from ${least} to ${most}`);
  };
  return {
    async append(event) {
      const sequence = stored.length + 1;
      const entry = encodeEntry(sequence, event.at.getTime(), textsOf(event));
      const hashes = frontierAt(stored.length, kept).append(leafHash(entry));
      events.push({ ...event, sequence });
      stored.push({ sequence, entry, hashes });
    },
    async find({ limit, pageToken, ...filters }) {
      const { action, subject, after } = filters;
      const rows = events.filter(
        (event) =>
          (action === undefined || event.action === action) &&
          (subject === undefined || event.subject === subject) &&
          (after === undefined || event.at > after),
      );
      return page(rows.reverse(), (event) => event.sequence, limit, pageToken, { of: 'audit', ...filters });
    },
    head: async () => ({ size: stored.length, root: frontierAt(stored.length, kept).root() }),
    async rootAt(size) {
      within(size, 0, stored.length);
      return frontierAt(size, kept).root();
    },
    async inclusion(sequence, size) {
      within(size, 0, stored.length);
      within(sequence, 1, size);
      return inclusionPath(sequence - 1, size, kept);
    },
    findIssued: async (serial, from, until) =>
      events.find(
        ({ at, action, outcome, details }) =>
          at >= from &&
          at <= until &&
          action === 'certificate.issue' &&
          outcome === 'allowed' &&
          details['serial'] === serial,
      )?.sequence,
    async entries(after, limit) {
      checkLimit(limit);
      return stored.filter(({ sequence }) => sequence > after).slice(0, limit);
    },
  };
}
