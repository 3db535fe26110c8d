import { formatInstant } from '../../kernel/index.ts';
import { anyOtherPort } from '../mesh/index.ts';
import { accessLogPeriod } from '../ports/index.ts';
import type { WorkloadEvidence } from './model.ts';

export interface Readiness {
  /** `safe`: in the whole window nobody called by plaintext, and nothing can have been missed. */
  readonly state: 'safe' | 'unsafe' | 'unknown';
  readonly reasons: readonly string[];
}

/** How old the last proof that nothing was lost may be: agents give one every few seconds. */
const freshness = 20_000;
/** In a shorter time a proxy may not have said that what began before still goes on. */
const shortestWindow = 2 * accessLogPeriod;
const mostReasons = 10;

/** Whether strict mutual TLS would refuse nobody who has called within `window` milliseconds, and how that is known. */
export function readiness(evidence: WorkloadEvidence, now: Date, window: number): Readiness {
  const begin = beginOf(now, window);
  // What was seen is true whatever may have been missed.
  const calls = plaintextSince(evidence, begin);
  if (calls.length > 0) return { state: 'unsafe', reasons: calls.slice(0, mostReasons) };
  const doubts = doubtsOf(evidence, now, begin);
  if (doubts.length > 0) return { state: 'unknown', reasons: doubts };
  return { state: 'safe', reasons: [] };
}

/** Addresses that called without mutual TLS within a window. */
export function callersSince({ ports }: WorkloadEvidence, now: Date, window: number): readonly string[] {
  const begin = beginOf(now, window);
  const calling = [...ports.values()].flatMap(({ callers }) => callers.filter(({ last }) => last >= begin));
  return [...new Set(calling.map(({ address }) => address))];
}

/** When strictness is safe at the earliest, should nobody call without mutual TLS and nothing be missed from now on. */
export function safeFrom({ ports, coverage }: WorkloadEvidence, now: Date, window: number): Date {
  const last = [...ports.values()].flatMap(({ callers, forgottenAt }) => [
    ...callers.map((caller) => caller.last),
    ...(forgottenAt ? [forgottenAt] : []),
  ]);
  const since = [...last, coverage?.since ?? now].map((time) => time.getTime());
  return new Date(Math.max(now.getTime(), Math.max(...since) + Math.max(window, shortestWindow)));
}

/** Of evidence, in which all that a workload does not declare are one. */
export function describePort(port: number): string {
  return port === anyOtherPort ? 'a port that is not declared' : `port ${port}`;
}

function beginOf(now: Date, window: number): Date {
  return new Date(now.getTime() - Math.max(window, shortestWindow));
}

function plaintextSince({ ports }: WorkloadEvidence, begin: Date): string[] {
  return [...ports].flatMap(([number, { callers, forgottenAt }]) => {
    const port = describePort(number);
    return [
      ...callers
        .filter(({ last }) => last >= begin)
        .toReversed()
        .map(({ address, last }) => `${address} called ${port} without mutual TLS at ${formatInstant(last)}`),
      ...(forgottenAt !== undefined && forgottenAt >= begin
        ? [`${port} has more callers than are kept`]
        : []),
    ];
  });
}

function doubtsOf(
  { coverage, confirmedAt, brokenAt, counters }: WorkloadEvidence,
  now: Date,
  begin: Date,
): string[] {
  if (counters === undefined) return ['its agent has not reported what its proxy has logged'];
  const doubts: string[] = [];
  if (coverage === undefined) doubts.push('its proxy has not been seen to log');
  else if (coverage.since > begin)
    doubts.push(`its log is complete only since ${formatInstant(coverage.since)}: ${coverage.reason}`);
  if (brokenAt !== undefined)
    doubts.push(
      `a stream of its log broke at ${formatInstant(brokenAt)}, and nothing has shown yet that it lost nothing`,
    );
  if (confirmedAt === undefined) doubts.push('nothing has shown yet that all it logged has arrived');
  else if (now.getTime() - confirmedAt.getTime() > freshness)
    doubts.push(`what it logged after ${formatInstant(confirmedAt)} is not known to have arrived`);
  return doubts;
}
