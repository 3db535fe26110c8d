import type { Workload } from '../../mesh/index.ts';
import type { DecisionRecord } from '../../ports/index.ts';
import { isAmbiguous, normalizePath } from '../decide/index.ts';
import { callerName, type Tally } from '../replay/index.ts';
import type { LeftOut, LeftOutReason } from './model.ts';

/** Methods that are compared as they are: without a star, which would be a pattern, and in capitals. */
const plainMethod = /^[A-Z]+(?:-[A-Z]+)*$/;

/**
 * Why the calls of a record are not proposed; undefined where they are. Only what a certificate proved counts as a caller,
 * and what was denied was not meant to be.
 */
export function reasonAgainst(
  record: DecisionRecord,
  callee: Workload | undefined,
): LeftOutReason | undefined {
  const { decision, transport, caller, method, path, lacks } = record;
  if (decision === 'denied') return 'denied';
  if (lacks.includes('caller') || lacks.includes('transport')) return 'caller-not-kept';
  if (transport !== 'mtls' || caller === undefined) return 'plaintext';
  if (lacks.includes('port')) return 'request-not-kept';
  const port = callee?.ports.find((each) => each.port === record.port);
  if (!port) return 'port-gone';
  if (port.protocol === 'tcp') return undefined;
  if (method === undefined || path === undefined) return 'request-not-kept';
  return isWritable(method, path) ? undefined : 'unwritable';
}

/** A pattern of a policy would mean more than this very request, or its proxy refuses it wherever paths are compared. */
function isWritable(method: string, path: string): boolean {
  return (
    plainMethod.test(method) &&
    normalizePath(path) === path &&
    !path.endsWith('*') &&
    !isAmbiguous('path', { method, path, host: '', headers: {} }, path)
  );
}

const mostCallers = 10;
const mostExamples = 3;

/** Adds up what is left out. */
export class LeftOuts {
  readonly #byReason = new Map<LeftOutReason, LeftOut>();

  add(reason: LeftOutReason, record: DecisionRecord): void {
    const known = this.#byReason.get(reason) ?? { reason, records: 0, calls: 0, callers: [], examples: [] };
    const caller = callerName(record);
    const { callers, examples } = known;
    this.#byReason.set(reason, {
      reason,
      ...plus(known, record),
      callers: callers.includes(caller) || callers.length === mostCallers ? callers : [...callers, caller],
      examples: examples.length === mostExamples ? examples : [...examples, record],
    });
  }

  all(): readonly LeftOut[] {
    return [...this.#byReason.values()].toSorted((a, b) => b.calls - a.calls);
  }
}

export function plus({ records, calls }: Tally, { count }: DecisionRecord): Tally {
  return { records: records + 1, calls: calls + count };
}
