import {
  coveredPercent,
  decisionText,
  formatPolicyProblem,
  type LintWarning,
  placesText,
  policyKeyOf,
  regionText,
  type WorldComparison,
} from '../../domain/policy/index.ts';
import { explainLine, requestLine } from '../commands/policy-diff-text.ts';
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

function compared({ differences, undecided, complete, removals }: PolicyComparison): readonly Section[] {
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
  if (effect.outcome === 'same') return [head, 'without it nothing is decided otherwise: proven'];
  const { differences, complete } = effect;
  const more = differences.length - mostOfRemoval;
  return [
    head,
    ...differences
      .slice(0, mostOfRemoval)
      .map(
        ({ becomes, region, places }) =>
          `without it becomes ${becomes}: ${regionText(region)}, to ${placesText(places)}`,
      ),
    ...(more > 0 ? [`and ${more} more`] : []),
    ...(complete ? [] : ['there may be more that hangs on it']),
  ];
}

function differenceEntry(difference: Difference): readonly [string, ...string[]] {
  const { region, places, protocol, before, after } = difference;
  const connection = protocol === 'tcp' ? ' (a connection, not read as HTTP)' : '';
  return [
    `${regionText(region)}${connection}, to ${placesText(places)}`,
    `before: ${decisionText(before)}`,
    `after: ${decisionText(after)}`,
    `such as: ${explainLine(difference) ?? requestLine(difference)}`,
  ];
}

/** With the name of the check, by which the manual explains it. */
export function warningLine({ rule, ...problem }: LintWarning): string {
  return `${formatPolicyProblem(problem)} [${rule}]`;
}
