import type { AccessLogEntry } from '../ports/index.ts';
import type { Denials, PlaintextCaller, PortEvidence } from './model.ts';

/** Addresses that are remembered of one port; anybody can send plaintext, and must not be able to fill the memory. */
const mostCallers = 256;

export const noCalls: PortEvidence = {
  callers: [],
  forgottenAt: undefined,
  more: 0,
  denials: undefined,
  refused: [],
};

/** Addresses whose refusals are wanted, and the time at which an entry came. */
export interface Watch {
  readonly addresses: ReadonlySet<string>;
  readonly now: Date;
}

/** What is known of a port after one more entry. Callers stand in the order of their last call, the oldest first. */
export function addEntry(evidence: PortEvidence, entry: AccessLogEntry, watch?: Watch): PortEvidence {
  const after = addRefusal(addDenial(evidence, entry), entry, watch);
  // An application's own TLS passes a permissive port as it is, and strictness ends it too.
  if (entry.transport === 'mtls') return after;
  if (entry.decision === 'allowed') return addCaller(after, entry);
  // What came to nothing is no call that strictness would take away: anybody can send plaintext.
  return entry.first ? after : takeBack(after, entry.callerAddress);
}

function addDenial(evidence: PortEvidence, entry: AccessLogEntry): PortEvidence {
  if (entry.decision !== 'denied') return evidence;
  const { denials: before } = evidence;
  const denials: Denials = {
    last: later(before?.last, entry.at),
    count: (before?.count ?? 0) + 1,
    caller: entry.callerId ?? entry.callerAddress,
    transport: entry.transport,
    policy: entry.policy,
    reason: entry.reason,
  };
  return { ...evidence, denials };
}

function addRefusal(
  evidence: PortEvidence,
  { unproved, callerAddress: address }: AccessLogEntry,
  watch: Watch | undefined,
): PortEvidence {
  if (!unproved || !watch?.addresses.has(address)) return evidence;
  const before = evidence.refused.find((each) => each.address === address);
  const others = evidence.refused.filter((each) => each !== before);
  const refused = [...others, { address, last: watch.now, count: (before?.count ?? 0) + 1 }];
  return { ...evidence, refused: refused.slice(-mostCallers) };
}

function addCaller(evidence: PortEvidence, { callerAddress, at, first }: AccessLogEntry): PortEvidence {
  const before = evidence.callers.find(({ address }) => address === callerAddress);
  const caller: PlaintextCaller = {
    address: callerAddress,
    first: before && before.first < at ? before.first : at,
    last: later(before?.last, at),
    previous: first ? before?.last : before?.previous,
    count: (before?.count ?? 0) + (first ? 1 : 0),
  };
  return bounded({ ...evidence, callers: [...evidence.callers.filter((each) => each !== before), caller] });
}

/** Its last call was none: it was told of at its start, and came to nothing. */
function takeBack(evidence: PortEvidence, address: string): PortEvidence {
  const caller = evidence.callers.find((each) => each.address === address);
  if (!caller) return evidence;
  const others = evidence.callers.filter((each) => each !== caller);
  const { previous, ...rest } = caller;
  if (caller.count <= 1) return { ...evidence, callers: others };
  const callers = [...others, { ...rest, last: previous ?? caller.last, count: caller.count - 1 }];
  return { ...evidence, callers: inOrder(callers) };
}

/** What is known of two ports that are one from now on. */
export function merged(a: PortEvidence, b: PortEvidence): PortEvidence {
  const byAddress = new Map(a.callers.map((caller) => [caller.address, caller]));
  for (const caller of b.callers) {
    const same = byAddress.get(caller.address);
    byAddress.set(caller.address, same ? together(same, caller) : caller);
  }
  return bounded({
    callers: inOrder([...byAddress.values()]),
    forgottenAt: b.forgottenAt === undefined ? a.forgottenAt : later(a.forgottenAt, b.forgottenAt),
    more: a.more + b.more,
    denials: denialsOf(a.denials, b.denials),
    refused: [...a.refused, ...b.refused].slice(-mostCallers),
  });
}

function denialsOf(a: Denials | undefined, b: Denials | undefined): Denials | undefined {
  if (!a || !b) return a ?? b;
  return { ...(a.last > b.last ? a : b), count: a.count + b.count };
}

function together(a: PlaintextCaller, b: PlaintextCaller): PlaintextCaller {
  return {
    address: a.address,
    first: a.first < b.first ? a.first : b.first,
    last: later(a.last, b.last),
    count: a.count + b.count,
  };
}

function inOrder(callers: readonly PlaintextCaller[]): PlaintextCaller[] {
  return callers.toSorted((a, b) => a.last.getTime() - b.last.getTime());
}

/** Forgets those who have not called for longest. */
function bounded(evidence: PortEvidence): PortEvidence {
  const { callers } = evidence;
  const tooMany = callers.slice(0, Math.max(0, callers.length - mostCallers));
  const last = tooMany.at(-1)?.last;
  if (last === undefined) return evidence;
  return {
    ...evidence,
    callers: callers.slice(tooMany.length),
    forgottenAt: later(evidence.forgottenAt, last),
    more: tooMany.reduce((sum, { count }) => sum + count, evidence.more),
  };
}

function later(a: Date | undefined, b: Date): Date {
  return a !== undefined && a > b ? a : b;
}
