import type { AccessLogEntry } from '../ports/index.ts';
import type { PlaintextCaller, PortEvidence } from './model.ts';

/** Addresses that are remembered of one port; anybody can send plaintext, and must not be able to fill the memory. */
const mostCallers = 256;

export const noCalls: PortEvidence = { callers: [], forgottenAt: undefined, more: 0, denials: undefined };

/** What is known of a port after one more entry. Callers stand in the order of their last call, the oldest first. */
export function addEntry(evidence: PortEvidence, entry: AccessLogEntry): PortEvidence {
  const { denials } = evidence;
  const denied =
    entry.decision === 'denied'
      ? {
          last: later(denials?.last, entry.at),
          count: (denials?.count ?? 0) + 1,
          caller: entry.callerId ?? entry.callerAddress,
          transport: entry.transport,
          policy: entry.policy,
          reason: entry.reason,
        }
      : denials;
  // An application's own TLS passes a permissive port as it is, and strictness ends it too. What is refused already is no
  // call that strictness would take away: anybody can send plaintext.
  const counts = entry.transport !== 'mtls' && entry.decision === 'allowed' && entry.first;
  return counts ? { ...addCaller(evidence, entry), denials: denied } : { ...evidence, denials: denied };
}

function addCaller(evidence: PortEvidence, { callerAddress, at }: AccessLogEntry): PortEvidence {
  const before = evidence.callers.find(({ address }) => address === callerAddress);
  const caller: PlaintextCaller = {
    address: callerAddress,
    first: before && before.first < at ? before.first : at,
    last: later(before?.last, at),
    count: (before?.count ?? 0) + 1,
  };
  const callers = [...evidence.callers.filter((each) => each !== before), caller];
  const [oldest] = callers;
  if (callers.length <= mostCallers || !oldest) return { ...evidence, callers };
  return {
    ...evidence,
    callers: callers.slice(1),
    forgottenAt: later(evidence.forgottenAt, oldest.last),
    more: evidence.more + oldest.count,
  };
}

function later(a: Date | undefined, b: Date): Date {
  return a !== undefined && a > b ? a : b;
}
