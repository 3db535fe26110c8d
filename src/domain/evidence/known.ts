import { anyOtherPort } from '../mesh/index.ts';
import type { AccessLogEntry, StoredEvidence } from '../ports/index.ts';
import { type Account, newAccount } from './account.ts';
import { addEntry, merged, noCalls, type Watch } from './calls.ts';
import type { PortEvidence } from './model.ts';
import { StreamCounts } from './stream-counts.ts';

/** What is known of one workload's callers while the server runs. */
export interface Known {
  account: Account;
  readonly ports: Map<number, PortEvidence>;
  readonly streams: StreamCounts;
  heardAt: Date;
  dirty: boolean;
}

/** Milliseconds after which nothing that was seen concerns any window. */
const retention = 7 * 86_400_000;
/** For one that no registry has: longer than whoever goes away for a while, a host that is repaired among them. */
const retentionOfGone = 86_400_000;

export function newKnown(heardAt: Date): Known {
  return { account: newAccount, ports: new Map(), streams: new StreamCounts(), heardAt, dirty: false };
}

export function restored({ account, ports, updatedAt }: StoredEvidence): Known {
  return { ...newKnown(updatedAt), account, ports: new Map(ports) };
}

/** Whether nobody asks for it any more. What a stream still brings is kept. */
export function isOver({ heardAt, streams }: Known, isGone: boolean, now: Date): boolean {
  return !streams.isOpen && now.getTime() - heardAt.getTime() > (isGone ? retentionOfGone : retention);
}

/**
 * Keeps an entry by its port where that is declared; a caller, or a proxy that lies, can name any other, and all of
 * these are one.
 */
export function addTo(
  { ports }: Known,
  entry: AccessLogEntry,
  declared: ReadonlySet<number>,
  watch?: Watch,
): void {
  const port = declared.has(entry.port) ? entry.port : anyOtherPort;
  ports.set(port, addEntry(ports.get(port) ?? noCalls, entry, watch));
}

/** What was seen on ports that are declared no more. @returns whether there was any */
export function foldUndeclared({ ports }: Known, declared: ReadonlySet<number>): boolean {
  const undeclared = [...ports].filter(([port]) => port !== anyOtherPort && !declared.has(port));
  for (const [port, evidence] of undeclared) {
    ports.delete(port);
    ports.set(anyOtherPort, merged(ports.get(anyOtherPort) ?? noCalls, evidence));
  }
  return undeclared.length > 0;
}
