import {
  completeWords,
  differenceWords,
  notCountedWords,
  seenWords,
  standingWords,
} from '../../domain/shadow/index.ts';
import type * as wire from '../../gen/citadel/v1/operator.ts';
import { formatTime, printable, tableText } from '../output.ts';
import { keyText } from '../policy-keys.ts';

/** Calls alike, of how many examples are shown. */
const mostExamples = 3;

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

const optional = (text: string) => (text === '' ? undefined : text);

const workloadColumns = [
  { title: 'WORKLOAD', value: ({ workload }: wire.ShadowWorkload) => workload },
  {
    title: 'PROXIES',
    value: ({ standing, detail, since }: wire.ShadowWorkload) =>
      standingWords({ standing, detail: optional(detail), since }),
  },
  { title: 'CALLS SEEN', value: ({ each, sampled }: wire.ShadowWorkload) => String(each + sampled) },
  { title: 'DIFFER', value: ({ different }: wire.ShadowWorkload) => String(different) },
  { title: 'UNDECIDED', value: ({ unknown }: wire.ShadowWorkload) => String(unknown) },
  {
    title: 'LOG COMPLETE',
    value: ({ completeSince: since, completeUntil: until }: wire.ShadowWorkload) =>
      completeWords({ complete: since && until && { since, until } }),
  },
];

function differenceText(difference: wire.ShadowDifference): string {
  const { becomes, callerId, workload, count, examples } = difference;
  return lines([
    `${count} ${count === 1n ? 'call' : 'calls'} of ${callerId === '' ? 'callers without a certificate' : callerId} to ${workload} would become ${becomes}: ${because(difference)}`,
    ...examples.slice(-mostExamples).map((each) => {
      const request = each.method === '' ? '' : ` ${each.method} ${each.path}`;
      return `  ${formatTime(each.at)} port ${each.port}${request} from ${each.callerAddress}`;
    }),
  ]);
}

function because({ becomes, policy, rule, step, ...candidate }: wire.ShadowDifference): string {
  const [namespace = '', name] = candidate.candidatePolicy.split('/');
  const by = name === undefined ? undefined : { namespace, name, rule: candidate.candidateRule ?? 0 };
  return differenceWords({ becomes, policy: optional(policy), rule, step, by });
}

function summary({ since, workloads, differences, samplePercent }: wire.PolicyShadow, now: Date): string {
  const seen = workloads.map(({ each, sampled }) => ({ each: Number(each), sampled: Number(sampled) }));
  return seenWords({ since, workloads: seen, differences, samplePercent }, now);
}

function notCounted({ gaps, elsewhere, workloads }: wire.PolicyShadow): readonly string[] {
  return notCountedWords({
    gaps: gaps.flatMap(({ from, until }) => (from && until ? [{ from, until }] : [])),
    elsewhere: Number(elsewhere),
    workloads: workloads.map(({ workload, earlier }) => ({ workload, earlier: Number(earlier) })),
  });
}
