import {
  coveredPercent,
  decisionText,
  formatPolicyProblem,
  type LintWarning,
  type MarkDifference,
  markText,
  placesText,
  policyKeyOf,
  regionText,
  type WorldComparison,
} from '../../domain/policy/index.ts';
import {
  arrivalText,
  explainLine,
  markTitle,
  requestLine,
  tokensUnreadText,
} from '../commands/policy-diff-text.ts';
import { failedCases, problemLine } from '../policy-testing/report.ts';
import type { Removal } from './change.ts';
import type { Findings, PolicyComparison } from './gather.ts';

/** One kind of finding, with a line or more for each. */
export interface Section {
  readonly title: string;
  readonly count: number;
  /** Of each finding: what it is, and what is to be said of it. */
  readonly entries: readonly (readonly [line: string, ...more: string[]])[];
}

type Difference = WorldComparison['differences'][number];

/** All that was found, the gravest first; also what there is nothing of. */
export function sectionsOf(findings: Findings): readonly Section[] {
  const { problems, warnings, tests, comparison } = findings;
  const failed = failedCases(tests);
  return [
    section(
      'Broken',
      problems.map((problem) => [problemLine(problem)]),
    ),
    section(
      'Failing tests',
      failed.map(({ test, name, source, line, failures }) => [
        `${source}:${line}: ${test}: ${name}`,
        ...failures,
      ]),
    ),
    ...(comparison ? compared(comparison) : []),
    section(
      'Warnings',
      warnings.map((warning) => [warningLine(warning)]),
    ),
  ];
}

/** What was looked at, for who sees that nothing was found. */
export function summaryOf({ tests, comparison, isWorldKnown }: Findings): string {
  const { cases, coverage } = tests;
  const parts = [
    cases.length === 0
      ? 'no tests'
      : `${cases.length - failedCases(tests).length} of ${cases.length} ${cases.length === 1 ? 'test case passes' : 'test cases pass'}, ${coveredPercent(coverage)}% of what their policies say is exercised`,
    comparison === undefined
      ? 'compared with nothing'
      : comparison.outcome === 'same'
        ? `proven: every call is decided as before (${comparison.proof.groups} kinds of ports)`
        : `${comparison.differences.length} ${comparison.differences.length === 1 ? 'difference' : 'differences'}${comparison.complete ? '' : ', and perhaps more'}`,
  ];
  parts.push(...(comparison?.notes ?? []));
  if (comparison !== undefined && !isWorldKnown)
    parts.push(
      'it is not known who is there: each namespace and selector that a policy names was taken for somebody',
    );
  return parts.join('; ');
}

function compared(comparison: PolicyComparison): readonly Section[] {
  const { differences, undecided, complete, marks, tokensUnread, removals } = comparison;
  const of = (becomes: Difference['becomes']) => differences.filter((each) => each.becomes === becomes);
  return [
    section('Becomes allowed', of('allowed').map(differenceEntry)),
    section('Becomes denied', of('denied').map(differenceEntry)),
    section('Cannot be told', [
      ...undecided.map(({ places, policies, reason }): readonly [string] => [
        `${placesText(places)}: ${reason}${policies.length === 0 ? '' : ` (${policies.join(', ')})`}`,
      ]),
      ...(complete || undecided.length > 0 ? [] : [['there may be more differences than these'] as const]),
    ]),
    section('Marked otherwise, which decides nothing', [
      ...marks.differences.map(markEntry),
      ...(marks.complete || !complete
        ? []
        : [['there may be more that is audited, or that dry runs match, otherwise than before'] as const]),
    ]),
    section(
      'Tokens asked for in vain',
      tokensUnread.map((each) => [tokensUnreadText(each)]),
    ),
    section('Removed', removals.map(removalEntry)),
  ];
}

function section(title: string, entries: Section['entries']): Section {
  return { title, count: entries.length, entries };
}

/** Of more differences by one removal it is told how many there are. */
const mostOfRemoval = 5;

function removalEntry({ policy, effect }: Removal): readonly [string, ...string[]] {
  const { source, line } = policy.meta.origin;
  const head = `${policyKeyOf(policy)} (${source}${line === undefined ? '' : `:${line}`})`;
  if (effect === undefined) return [head];
  const { differences, complete, marks } = effect;
  const marked = marks.differences
    .slice(0, mostOfRemoval)
    .map((each) => `without it ${lowered(markTitle(each))}, which decides nothing: ${whatAndWhere(each)}`);
  if (effect.outcome === 'same') return [head, 'without it nothing is decided otherwise: proven', ...marked];
  const more = differences.length - mostOfRemoval;
  return [
    head,
    ...differences
      .slice(0, mostOfRemoval)
      .map((each) => `without it becomes ${each.becomes}: ${whatAndWhere(each)}`),
    ...(more > 0 ? [`and ${more} more`] : []),
    ...marked,
    ...(complete ? [] : ['there may be more that hangs on it']),
  ];
}

function differenceEntry(difference: Difference): readonly [string, ...string[]] {
  const { before, after } = difference;
  return [
    whatAndWhere(difference),
    `before: ${decisionText(before)}`,
    `after: ${decisionText(after)}`,
    suchAs(difference),
  ];
}

function markEntry(difference: MarkDifference): readonly [string, ...string[]] {
  const when = difference.becomes === 'marked' ? 'after' : 'before';
  return [
    `${lowered(markTitle(difference))}: ${whatAndWhere(difference)}`,
    `${when}: ${markText(difference)}`,
    suchAs(difference),
  ];
}

type Told = Difference | MarkDifference;

function whatAndWhere(told: Told): string {
  return `${regionText(told.region)}${arrivalText(told)}, to ${placesText(told.places)}`;
}

function suchAs(told: Told): string {
  return `such as: ${explainLine(told) ?? requestLine(told)}`;
}

function lowered(title: string): string {
  return `${title.charAt(0).toLowerCase()}${title.slice(1)}`;
}

/** With the name of the check, by which the manual explains it. */
export function warningLine({ rule, ...problem }: LintWarning): string {
  return `${formatPolicyProblem(problem)} [${rule}]`;
}
