import type { AuditLog } from '../ports/index.ts';

/** What a store that is set back would undo, and make good again what somebody has stolen. */
const revoking = [
  'certificate.revoke',
  'authority.revoke',
  'authority.taint',
  'operator.revoke',
  // The old root left the bundle.
  'rotation.retire',
] as const;

/** The sequence number of the newest entry that takes something back; 0 where there is none. */
export async function lastRevocation(log: Pick<AuditLog, 'find'>): Promise<number> {
  const newest = await Promise.all(
    revoking.map(async (action) => (await log.find({ action, limit: 1 })).items[0]?.sequence ?? 0),
  );
  return Math.max(...newest);
}
