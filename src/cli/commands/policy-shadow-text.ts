import type * as wire from '../../gen/citadel/v1/operator.ts';
import { formatDuration } from '../../kernel/index.ts';
import { formatTime, printable, tableText } from '../output.ts';
import { keyText } from '../policy-keys.ts';

/** Calls alike, of how many examples are shown. */
const mostExamples = 3;
/** Times at which nobody counted, of how many is told. */
const mostGaps = 3;

/** For people: since when, where, and what differs. */
export function shadowText(shadow: wire.PolicyShadow, now: Date): string {
  const { base, revision, workloads, differences, doubts, obstacles } = shadow;
  const head = [
    `Candidate ${shadow.id} of ${shadow.by}, ${formatTime(shadow.at)}${shadow.reason === '' ? '' : `: ${shadow.reason}`}`,
    ...shadow.versions.map(({ key, text }) => `  ${text === '' ? 'removes' : 'changes'} ${keyText(key)}`),
    base === revision
      ? `Tried beside revision ${base}.`
      : `Made for revision ${base}, but the policies are at revision ${revision} by now: take it back and try it anew.`,
    ...(workloads.length === 0 ? ['It decides otherwise for no workload that is known.'] : []),
  ];
  return [
    lines(head),
    ...(workloads.length === 0 ? [] : [tableText(workloads, workloadColumns)]),
    ...differences.map(differenceText),
    ...(shadow.more === 0n
      ? []
      : [lines([`and ${shadow.more} calls more that differ, of kinds that are not kept`])]),
    lines([
      summary(shadow, now),
      ...notCounted(shadow),
      ...obstacles.map((obstacle) => `It cannot be promoted: ${obstacle}.`),
      ...doubts.map((doubt) => `Not ready to be promoted: ${doubt}.`),
    ]),
  ].join('\n');
}

const lines = (texts: readonly string[]) => texts.map((text) => `${printable(text)}\n`).join('');

const workloadColumns = [
  { title: 'WORKLOAD', value: ({ workload }: wire.ShadowWorkload) => workload },
  {
    title: 'PROXIES',
    value: ({ standing, detail, since }: wire.ShadowWorkload) => {
      if (standing === 'current') return `have it since ${formatTime(since)}`;
      return `${standings[standing] ?? standing}${detail === '' ? '' : `: ${detail}`}`;
    },
  },
  { title: 'CALLS SEEN', value: ({ each, sampled }: wire.ShadowWorkload) => String(each + sampled) },
  { title: 'DIFFER', value: ({ different }: wire.ShadowWorkload) => String(different) },
  { title: 'UNDECIDED', value: ({ unknown }: wire.ShadowWorkload) => String(unknown) },
  {
    title: 'LOG COMPLETE',
    value: ({ completeSince, completeUntil }: wire.ShadowWorkload) =>
      completeSince && completeUntil
        ? `from ${formatTime(completeSince)} until ${formatTime(completeUntil)}`
        : 'not known',
  },
];

const standings: Readonly<Record<string, string>> = {
  pending: 'have not answered yet',
  refused: 'refuse it',
  absent: 'none is connected',
  none: 'there is none: nothing is enforced here',
  'too-much': 'it and what holds are too much for them: not tried here',
};

function differenceText(difference: wire.ShadowDifference): string {
  const { becomes, callerId, workload, count, examples } = difference;
  return lines([
    `${callsText(count)} of ${callerId === '' ? 'callers without a certificate' : callerId} to ${workload} would become ${becomes}: ${because(difference)}`,
    ...examples.slice(-mostExamples).map((each) => {
      const request = each.method === '' ? '' : ` ${each.method} ${each.path}`;
      return `  ${formatTime(each.at)} port ${each.port}${request} from ${each.callerAddress}`;
    }),
  ]);
}

function because({
  becomes,
  policy,
  rule,
  step,
  candidatePolicy,
  candidateRule,
}: wire.ShadowDifference): string {
  const now = policy === '' ? undefined : `rule ${rule ?? 0} of ${policy}`;
  const then = candidatePolicy === '' ? undefined : `rule ${candidateRule ?? 0} of ${candidatePolicy}`;
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

function summary({ since, workloads, differences, samplePercent }: wire.PolicyShadow, now: Date): string {
  if (!since) return 'The candidate has not reached the mesh yet.';
  const seen = workloads.reduce((sum, { each, sampled }) => sum + each + sampled, 0n);
  const sampled = workloads.reduce((sum, each) => sum + each.sampled, 0n);
  const span = formatDuration(Math.max(0, Math.round((now.getTime() - since.getTime()) / 1000)) * 1000);
  const calls = `${callsText(seen)} seen in ${span} (since ${formatTime(since)})`;
  return `${differences.length === 0 ? 'No difference in ' : ''}${calls}; ${samplingText(samplePercent, sampled)}.`;
}

/** What the counts do not hold. */
function notCounted({ gaps, elsewhere, workloads }: wire.PolicyShadow): readonly string[] {
  const told = gaps
    .slice(-mostGaps)
    .map(({ from, until }) => `from ${formatTime(from)} until ${formatTime(until)}`);
  const more = gaps.length > mostGaps ? ` and ${gaps.length - mostGaps} times before` : '';
  return [
    ...(told.length === 0 ? [] : [`No server counted ${told.join(', ')}${more}.`]),
    ...workloads
      .filter(({ earlier }) => earlier > 0n)
      .map(
        ({ workload, earlier }) =>
          `${callsText(earlier)} to ${workload} were compared with other policies than hold there now, and count no more.`,
      ),
    ...(elsewhere === 0n
      ? []
      : [
          `${callsText(elsewhere)} more went to workloads that are gone, or for which it decides nothing otherwise by now.`,
        ]),
  ];
}

const callsText = (count: bigint) => `${count} ${count === 1n ? 'call' : 'calls'}`;

function samplingText(percent: number, sampled: bigint): string {
  if (percent >= 100) return 'each call is told of';
  const others = 'denials and differences are told of each';
  if (percent === 0) return `calls that both allow are not told of, ${others}`;
  const meant = Math.round(Number(sampled) * (100 / percent));
  return `calls that both allow are told of by sample, ${percent} in 100, and stand for some ${meant}; ${others}`;
}
