import { formatDuration, formatInstant } from '../../kernel/index.ts';
import type { ShadowDifference, ShadowStatus, ShadowWorkload } from './model.ts';

/** Times at which nobody counted, of how many is told. */
const mostGaps = 3;

/** As it comes over the wire, from a server that may know more words. */
type Told<T> = { readonly [K in keyof T]: T[K] extends string ? string : T[K] };

/** How far the proxies of a workload are with a candidate. */
export function standingWords({
  standing,
  detail,
  since,
}: Told<Pick<ShadowWorkload, 'standing' | 'detail' | 'since'>>): string {
  if (standing === 'current') return `have it since ${since ? formatInstant(since) : ''}`;
  return `${standings[standing] ?? standing}${detail === undefined ? '' : `: ${detail}`}`;
}

const standings: Readonly<Record<string, string>> = {
  pending: 'have not answered yet',
  refused: 'refuse it',
  absent: 'none is connected',
  none: 'there is none: nothing is enforced here',
  'too-much': 'it and what holds are too much for them: not tried here',
};

/** Of which time nothing that proxies logged can be missing. */
export function completeWords({ complete }: Pick<ShadowWorkload, 'complete'>): string {
  if (!complete) return 'not known';
  return `from ${formatInstant(complete.since)} until ${formatInstant(complete.until)}`;
}

/** Why calls would be decided otherwise. */
export function differenceWords({
  becomes,
  policy,
  rule,
  step,
  by,
}: Told<Pick<ShadowDifference, 'becomes' | 'policy' | 'rule' | 'step' | 'by'>>): string {
  const now = policy === undefined ? undefined : `rule ${rule ?? 0} of ${policy}`;
  const then = by === undefined ? undefined : `rule ${by.rule} of ${by.namespace}/${by.name}`;
  if (becomes === 'denied') {
    const allowed = now === undefined ? 'nothing denies it now' : `allowed now by ${now}`;
    if (step === 'DENY') return `denied by ${then ?? 'a DENY'}; ${allowed}`;
    if (step === 'PATH')
      return `what it asks is written in a way that is refused where policies compare it; ${allowed}`;
    return `no ALLOW would match; ${allowed}`;
  }
  const denied = now === undefined ? 'no ALLOW matches now' : `denied now by ${now}`;
  return `${then === undefined ? 'nothing would deny it' : `allowed by ${then}`}; ${denied}`;
}

type Seen = Pick<ShadowStatus, 'since' | 'samplePercent'> & {
  readonly workloads: readonly Pick<ShadowWorkload, 'each' | 'sampled'>[];
  readonly differences: readonly unknown[];
};

/** How much was seen of a candidate, and what that stands for. */
export function seenWords({ since, workloads, differences, samplePercent }: Seen, now: Date): string {
  if (!since) return 'The candidate has not reached the mesh yet.';
  const sampled = workloads.reduce((sum, each) => sum + each.sampled, 0);
  const seen = workloads.reduce((sum, each) => sum + each.each, sampled);
  const span = formatDuration(Math.max(0, Math.round((now.getTime() - since.getTime()) / 1000)) * 1000);
  const calls = `${callsText(seen)} seen in ${span} (since ${formatInstant(since)})`;
  return `${differences.length === 0 ? 'No difference in ' : ''}${calls}; ${sampleWords(samplePercent, sampled)}.`;
}

type NotCounted = Pick<ShadowStatus, 'gaps' | 'elsewhere'> & {
  readonly workloads: readonly Pick<ShadowWorkload, 'workload' | 'earlier'>[];
};

/** What the counts do not hold, each a sentence. */
export function notCountedWords({ gaps, elsewhere, workloads }: NotCounted): readonly string[] {
  const told = gaps
    .slice(-mostGaps)
    .map(({ from, until }) => `from ${formatInstant(from)} until ${formatInstant(until)}`);
  const more = gaps.length > mostGaps ? ` and ${gaps.length - mostGaps} times before` : '';
  return [
    ...(told.length === 0 ? [] : [`No server counted ${told.join(', ')}${more}.`]),
    ...workloads
      .filter(({ earlier }) => earlier > 0)
      .map(
        ({ workload, earlier }) =>
          `${callsText(earlier)} to ${workload} were compared with other policies than hold there now, and count no more.`,
      ),
    ...(elsewhere === 0
      ? []
      : [
          `${callsText(elsewhere)} more went to workloads that are gone, or for which it decides nothing otherwise by now.`,
        ]),
  ];
}

const callsText = (count: number) => `${count} ${count === 1 ? 'call' : 'calls'}`;

function sampleWords(percent: number, sampled: number): string {
  if (percent >= 100) return 'each call is told of';
  const others = 'denials and differences are told of each';
  if (percent === 0) return `calls that both allow are not told of, ${others}`;
  const meant = Math.round(sampled * (100 / percent));
  const standing = meant === 0 ? '' : `, and stand for some ${meant}`;
  return `calls that both allow are told of by sample, ${percent} in 100${standing}; ${others}`;
}
