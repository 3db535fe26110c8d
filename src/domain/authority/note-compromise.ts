import type { AuditEvent, AuditLog } from '../ports/index.ts';

/** What is put on record before anything is taken back: who is cut off after it is asked again. */
export const compromiseActions = ['authority.taint', 'authority.revoke', 'certificate.revoke'] as const;

export interface CompromiseNote extends Pick<AuditEvent, 'at' | 'target' | 'details'> {
  readonly action: (typeof compromiseActions)[number];
}

/** Puts on record what is tainted or revoked, by whom and why. */
export async function noteCompromise(
  audit: AuditLog,
  { by, proof, reason }: { readonly by: string; readonly proof: string; readonly reason: string },
  note: CompromiseNote,
): Promise<void> {
  await audit.append({ ...note, outcome: 'allowed', subject: by, proof, reason });
}
