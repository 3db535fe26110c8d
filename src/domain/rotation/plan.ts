import type { LiveLeaf, RotationCanary } from '../ports/index.ts';
import type { RotationEvidence } from './gate.ts';

export interface PlannedPhase {
  readonly phase: 'canary' | 'distribute' | 'drain' | 'retire';
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
 * @param canary who would be given the new root first; undefined: nobody
 */
export function planRotation(
  { proxies }: RotationEvidence,
  ttl: number,
  now: Date,
  canary?: RotationCanary,
): readonly PlannedPhase[] {
  const silent = proxies.filter(({ report }) => !report).map(({ leaf }) => leaf);
  const reporting = proxies.length - silent.length;
  const longest = latest(
    ttl,
    proxies.map(({ leaf }) => life(leaf)),
  );
  const begin = now.getTime() + (canary ? seconds + canary.watch : 0);
  const soon = begin + (reporting > 0 ? seconds : 0);
  const distributed = latest(
    soon,
    silent.map((leaf) => leaf.notAfter.getTime() - life(leaf) / 2),
  );
  const drained = distributed + longest;
  const retired = drained + (silent.length > 0 ? longest / 2 : reporting > 0 ? seconds : 0);
  const both = `${reporting} proxies that report, until they are seen to use it; ${silent.length} that cannot, until they renew, and your word for each`;
  return [
    ...(canary ? [canaryPhase(canary, new Date(begin))] : []),
    { phase: 'distribute', waitsFor: both, earliestEnd: new Date(distributed) },
    {
      phase: 'drain',
      waitsFor: `every certificate under the old root to end, which live for up to ${Math.round(longest / 1000)} s`,
      earliestEnd: new Date(drained),
    },
    { phase: 'retire', waitsFor: both, earliestEnd: new Date(retired) },
  ];
}

function canaryPhase(
  { selectors, watch, allowedFailures, watched }: RotationCanary,
  earliestEnd: Date,
): PlannedPhase {
  const chosen = `${watched.length} proxies chosen by ${selectors.join(' and ')}`;
  return {
    phase: 'canary',
    waitsFor: `${chosen}, until each has used it for ${Math.round(watch / 1000)} s, refused nothing, and had no more than ${allowedFailures} failed handshakes`,
    earliestEnd,
  };
}

function life({ notAfter, recordedAt }: LiveLeaf): number {
  return notAfter.getTime() - recordedAt.getTime();
}

/** A spread of hundreds of thousands of arguments would overflow the stack. */
export function latest(least: number, times: readonly number[]): number {
  return times.reduce((last, each) => Math.max(last, each), least);
}
