import { setImmediate as nextTurn } from 'node:timers/promises';
import {
  callerName,
  type ReplayExample,
  type ReplayGroup,
  type ReplayReport,
  requestWords,
  sampleWords,
  type UndecidedGroup,
} from '../../domain/policy/index.ts';
import type { PolicyAnalysis } from '../../domain/ports/index.ts';
import { type ExportQuery, type RecordsHead, readRecordsHead } from '../../domain/records/index.ts';
import { formatInstant, parseDuration } from '../../kernel/index.ts';
import type {
  ConsoleReplay,
  ConsoleReplayExample,
  ConsoleReplayGroup,
  ConsoleReplayQuestion,
  ConsoleUndecidedGroup,
} from '../../wire/console.ts';
import { needsControlPlane } from '../needs-control-plane.ts';
import { type ChangedWorldServices, changedWorld } from './changed-world.ts';

export interface ConsoleRecordServices {
  /** JSON Lines, whole ones a part, the head first; undefined where this server has no control plane. */
  readonly decisionRecords: ((query: Omit<ExportQuery, 'sample'>) => AsyncIterable<string>) | undefined;
}

interface ReplayServices extends ChangedWorldServices, ConsoleRecordServices {
  readonly now: () => Date;
}

/** Characters of records that are taken along: of some 75,000. Reading them takes half a second of the one thread. */
const mostCharacters = 32 * 1024 * 1024;
const mostTold = 100;

/** What recorded calls would come to under a change. @throws CitadelError as PolicyAnalysis does */
export async function replayChange(
  services: ReplayServices,
  analysis: Pick<PolicyAnalysis, 'replay'>,
  { since, ...change }: ConsoleReplayQuestion,
  signal: AbortSignal,
): Promise<ConsoleReplay> {
  const { before, after } = await changedWorld(services, change);
  const from = new Date(services.now().getTime() - parseDuration(since));
  const records = needsControlPlane(services.decisionRecords)({ since: from, workloads: [] });
  const { texts, whole } = await taken(records, signal);
  const head = readRecordsHead(texts[0]?.split('\n', 1)[0] ?? '');
  return reportToWire(await analysis.replay(texts, before, after, signal), head, whole);
}

/** As much as is looked at here, the newest first; and whether that is all. */
async function taken(
  records: AsyncIterable<string>,
  signal: AbortSignal,
): Promise<{ readonly texts: readonly string[]; readonly whole: boolean }> {
  const texts: string[] = [];
  let characters = 0;
  for await (const text of records) {
    // The store answers at once: without a turn for others all of it would hold them up.
    await nextTurn();
    signal.throwIfAborted();
    characters += text.length;
    if (characters > mostCharacters) return { texts, whole: false };
    texts.push(text);
  }
  return { texts, whole: true };
}

function reportToWire(report: ReplayReport, head: RecordsHead, whole: boolean): ConsoleReplay {
  const { total, unchanged, changes, undecided, mismatches, gone } = report;
  return {
    total,
    unchanged,
    changes: changes.slice(0, mostTold).map(groupToWire),
    undecided: undecided.slice(0, mostTold).map(undecidedToWire),
    mismatches: mismatches.slice(0, mostTold).map(groupToWire),
    gone,
    caveats: caveatsOf(report, head, whole),
  };
}

function caveatsOf(
  { sampled, changes, undecided, mismatches }: ReplayReport,
  { sample, forgotten }: RecordsHead,
  whole: boolean,
): readonly string[] {
  const sampling = sampleWords(sampled, sample);
  const most = Math.max(changes.length, undecided.length, mismatches.length);
  return [
    ...(sampling === undefined ? [] : [sampling]),
    ...(forgotten
      ? [
          `${forgotten.calls} calls up to ${formatInstant(forgotten.until)} were forgotten by the server for want of room.`,
        ]
      : []),
    ...(whole
      ? []
      : ['There are more records than are looked at here: these are the newest. The command takes all.']),
    ...(most > mostTold
      ? [`More than ${mostTold} groups of a kind are found; those of the most calls are shown.`]
      : []),
  ];
}

function groupToWire({
  becomes,
  caller,
  callee,
  port,
  before,
  after,
  ...group
}: ReplayGroup): ConsoleReplayGroup {
  const { calls, records, examples } = group;
  return {
    becomes,
    caller,
    callee: `${callee}:${port === 0 ? 'other' : port}`,
    before,
    after,
    calls,
    records,
    examples: examples.map(exampleToWire),
  };
}

function undecidedToWire({ lacks, calls, records, examples }: UndecidedGroup): ConsoleUndecidedGroup {
  return { lacks, calls, records, examples: examples.map(exampleToWire) };
}

function exampleToWire({ record }: ReplayExample): ConsoleReplayExample {
  const { workload, count, last } = record;
  return {
    request: requestWords(record),
    caller: callerName(record),
    workload,
    calls: count,
    last: formatInstant(last),
  };
}
