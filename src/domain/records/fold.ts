import { anyOtherPort } from '../mesh/index.ts';
import type { RecordedAttribute } from '../ports/index.ts';
import type { DecisionIdentity } from './identity.ts';

/**
 * How many different records are kept of a period. Beyond that calls are still counted, but told apart by less; what is
 * not told apart is named in `lacks`.
 */
export interface RecordLimits {
  /** Of one caller at a workload; of all without mutual TLS together, for anybody can be one of these. */
  readonly perCaller: number;
  readonly perWorkload: number;
  readonly total: number;
}

export const defaultRecordLimits: RecordLimits = { perCaller: 256, perWorkload: 2_048, total: 100_000 };

/** Of a caller that calls in too many ways: that it called, and what became of it. */
export function withoutRequest(identity: DecisionIdentity): DecisionIdentity {
  return {
    ...identity,
    method: undefined,
    path: undefined,
    host: undefined,
    serverName: undefined,
    lacks: more(identity, 'method', 'path', 'host', 'serverName'),
  };
}

/** Of a workload that is called by too many, or of which there are too many: that it was called. */
export function withoutCaller(identity: DecisionIdentity): DecisionIdentity {
  const { rules: _, ...coarse } = withoutRequest(identity);
  return {
    ...coarse,
    port: anyOtherPort,
    caller: undefined,
    policy: undefined,
    rule: undefined,
    lacks: more(coarse, 'caller', 'address', 'port', 'policy'),
  };
}

function more(
  { lacks }: DecisionIdentity,
  ...added: readonly RecordedAttribute[]
): readonly RecordedAttribute[] {
  return [...new Set([...lacks, ...added])];
}
