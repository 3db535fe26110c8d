import { CitadelError, isCitadelError } from '../../kernel/index.ts';
import type { Workload } from '../mesh/index.ts';
import { stableLabels } from '../policy/index.ts';
import type { DecisionRecord } from '../ports/index.ts';
import { type FindWorkloads, readIstioLine } from './istio-log.ts';
import { isRecordsHead, type RecordsHead, readRecord, readRecordsHead } from './json-lines.ts';
import { periodOf } from './period.ts';
import { PeriodCounts } from './period-counts.ts';

export interface LineFault {
  /** From 1. */
  readonly line: number;
  readonly message: string;
}

export interface ReadRecords {
  readonly head: RecordsHead | undefined;
  readonly records: readonly DecisionRecord[];
  /** The first of them. */
  readonly faults: readonly LineFault[];
  readonly faulty: number;
  /** Lines of an access log that are no decision on a call to a workload. */
  readonly passedOver: number;
}

export interface ReadOptions {
  /** By their addresses and ports the callees of an access log are known. */
  readonly workloads: Iterable<Workload>;
  /** Those whose last call was then or later. */
  readonly since: Date | undefined;
}

/** Characters of one line; who gives lines cuts longer ones. */
export const longestRecordLine = 65_536;

const mostFaults = 5;
/** A file of which so many lines are none at all is another one: it may be of gigabytes. */
const mostBefore = 1000;
const mostRecords = 1_000_000;
/** Of an access log of many days. */
const limits = { perCaller: 50_000, perWorkload: 200_000, total: mostRecords };

/**
 * Reads lines of either form: this program's own records, which begin with their head, or Istio's JSON access log, of
 * which alike calls are counted together. A line that is broken is counted, and takes no other with it.
 * @throws CitadelError ResourceExhausted for more than can be held; InvalidArgument where no line can be read
 */
export async function readRecordLines(
  lines: AsyncIterable<string>,
  options: ReadOptions,
): Promise<ReadRecords> {
  const faults: LineFault[] = [];
  let [number, faulty, read] = [0, 0, 0];
  let reader: Reader | undefined;
  const istio = istioReader(options);
  for await (const given of lines) {
    number += 1;
    const line = number === 1 ? given.replace(/^\uFEFF/, '') : given;
    if (line.trim() === '') continue;
    try {
      if (!reader && isRecordsHead(line)) reader = ownReader(line, options);
      else (reader ??= istio).add(line);
      read += 1;
    } catch (error) {
      if (!isCitadelError(error, 'InvalidArgument')) throw error;
      // What the lines behind a broken head are is not known.
      if (isRecordsHead(line) && !reader) throw error;
      faulty += 1;
      const isCut = line.length > longestRecordLine;
      const message = isCut ? `is longer than ${longestRecordLine} characters` : error.message;
      if (faults.length < mostFaults) faults.push({ line: number, message });
      if (read === 0 && faulty === mostBefore) break;
    }
  }
  const [first] = faults;
  if (read === 0 && first)
    throw new CitadelError('InvalidArgument', `no line can be read; line ${first.line}: ${first.message}`);
  return { head: undefined, records: [], passedOver: 0, ...reader?.result(), faults, faulty };
}

interface Reader {
  add(line: string): void;
  result(): Pick<ReadRecords, 'head' | 'records' | 'passedOver'>;
}

function ownReader(head: string, { since }: ReadOptions): Reader {
  const read = readRecordsHead(head);
  const records: DecisionRecord[] = [];
  return {
    add(line) {
      const record = readRecord(line);
      if (since && record.last < since) return;
      if (records.length === mostRecords)
        throw new CitadelError(
          'ResourceExhausted',
          `more than ${mostRecords} records; shorten the time with --since`,
        );
      records.push(record);
    },
    result: () => ({ head: read, records, passedOver: 0 }),
  };
}

function istioReader({ workloads, since }: ReadOptions): Reader {
  const counts = new PeriodCounts(new Date(0), limits);
  const find = finder(workloads);
  let passedOver = 0;
  return {
    add(line) {
      const call = readIstioLine(line, find, periodOf);
      if (!call) passedOver += 1;
      else if (!since || call.at >= since) {
        const { serviceAccount, labels } = call.callee;
        counts.add(call.identity, { serviceAccount, labels: stableLabels(labels) }, call.address, call.at);
      }
    },
    result: () => ({ head: undefined, records: counts.take(mostRecords), passedOver }),
  };
}

function finder(workloads: Iterable<Workload>): FindWorkloads {
  const byAddress = new Map<string, Workload[]>();
  for (const workload of workloads)
    for (const address of workload.addresses)
      byAddress.set(address, [...(byAddress.get(address) ?? []), workload]);
  return (address, port) => {
    const all = byAddress.get(address) ?? [];
    // On a host's own address many may stand, each on ports of its own.
    return all.length > 1 ? all.filter(({ ports }) => ports.some((each) => each.port === port)) : all;
  };
}
