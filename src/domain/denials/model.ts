import type { AccessLogEntry, DecidedBy, NamedDenial } from '../ports/index.ts';

/** What a denied request or connection was, as the callee's proxy told it. */
export interface DenialRecord {
  readonly entry: Omit<AccessLogEntry, 'shadow' | 'marks' | 'denial'> & { readonly denial: NamedDenial };
  /** Of the callee; undefined where that was not known. */
  readonly serviceAccount: string | undefined;
  /** Of all policies that held for the callee when the entry came; undefined where that was not known. */
  readonly policiesVersion: string | undefined;
  /** By its proxy's own word; undefined where that does not tell. */
  readonly decidedBy?: DecidedBy | undefined;
  /** When it came, by this server's clock. */
  readonly told: Date;
}

/** Whose denial it is: whoever has many pushes out only its own. */
export function denialCaller({ callerId, callerAddress }: DenialRecord['entry']): string {
  return callerId ?? callerAddress;
}
