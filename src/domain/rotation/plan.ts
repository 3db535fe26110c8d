import type { LiveLeaf } from '../ports/index.ts';
import type { RotationEvidence } from './gate.ts';

export interface PlannedPhase {
  readonly phase: 'distribute' | 'drain' | 'retire';
  readonly waitsFor: string;
  /** When it can end at the earliest, if each phase before it is ended as early as it can be. */
  readonly earliestEnd: Date;
}

/** Agents are told of a bundle at once. */
const seconds = 30_000;

/**
 * What a rotation would wait for, and until when, at today's certificates. Pure. Who reports learns of a bundle at once;
 * who does not, at its next renewal, which is taken to be at half of the life of its certificate.
 * @param ttl of certificates to come, milliseconds
 */
export function planRotation({ proxies }: RotationEvidence, ttl: number, now: Date): readonly PlannedPhase[] {
  const silent = proxies.filter(({ report }) => !report).map(({ leaf }) => leaf);
  const reporting = proxies.length - silent.length;
  const longest = latest(
    ttl,
    proxies.map(({ leaf }) => life(leaf)),
  );
  const soon = now.getTime() + (reporting > 0 ? seconds : 0);
  const distributed = latest(
    soon,
    silent.map((leaf) => leaf.notAfter.getTime() - life(leaf) / 2),
  );
  const drained = distributed + longest;
  const retired = drained + (silent.length > 0 ? longest / 2 : reporting > 0 ? seconds : 0);
  const both = `${reporting} proxies that report, until they are seen to use it; ${silent.length} that cannot, until they renew, and your word for each`;
  return [
    { phase: 'distribute', waitsFor: both, earliestEnd: new Date(distributed) },
    {
      phase: 'drain',
      waitsFor: `every certificate under the old root to end, which live for up to ${Math.round(longest / 1000)} s`,
      earliestEnd: new Date(drained),
    },
    { phase: 'retire', waitsFor: both, earliestEnd: new Date(retired) },
  ];
}

function life({ notAfter, recordedAt }: LiveLeaf): number {
  return notAfter.getTime() - recordedAt.getTime();
}

/** A spread of hundreds of thousands of arguments would overflow the stack. */
export function latest(least: number, times: readonly number[]): number {
  return times.reduce((last, each) => Math.max(last, each), least);
}
