import {
  type CaseResult,
  type CoverageUnit,
  coveredPercent,
  describeUnit,
  formatPolicyProblem,
  type PolicyCoverage,
  type PolicyProblem,
  type PolicyReading,
} from '../../domain/policy/index.ts';
import { printable } from '../output.ts';

/** What a run of tests has shown. */
export interface TestReport {
  readonly cases: readonly CaseResult[];
  readonly coverage: readonly PolicyCoverage[];
  readonly problems: readonly PolicyProblem[];
  readonly locate: PolicyReading['locate'];
  /** Calls that the Envoy could not be asked; absent where none was asked anything. */
  readonly skippedByEnvoy?: number;
}

export function failedCases({ cases }: TestReport): readonly CaseResult[] {
  return cases.filter(({ failures }) => failures.length > 0);
}

/** For people: what fails, with its reason, what is not exercised, and the sum of it. */
export function reportText(report: TestReport): string {
  const lines = [
    ...report.problems.map(problemLine),
    ...report.cases.flatMap(({ test, name, source, line, failures }) =>
      failures.length === 0
        ? [`pass  ${test}: ${name}`]
        : [`FAIL  ${test}: ${name}  (${source}:${line})`, ...failures.map((failure) => `      ${failure}`)],
    ),
    ...coverageLines(report),
    summaryLine(report),
  ];
  return lines.map((line) => `${printable(line)}\n`).join('');
}

export function problemLine(problem: PolicyProblem): string {
  return problem.source === '' ? problem.message : formatPolicyProblem(problem);
}

function coverageLines({ coverage, locate }: TestReport): readonly string[] {
  const open = coverage
    .flatMap(({ units }) => units)
    .filter(({ covered }) => !covered)
    .map((unit) => `  ${placeOf(unit, locate)}: ${nameOf(unit)}: ${describeUnit(unit)}`);
  return open.length === 0 ? [] : ['Not exercised by any case:', ...open];
}

function nameOf({ policy: { meta } }: CoverageUnit): string {
  return `${meta.namespace}/${meta.name}`;
}

function placeOf(unit: CoverageUnit, locate: TestReport['locate']): string {
  const { source, line } = unit.policy.meta.origin;
  const place = locate(unit.policy, unit.path);
  if (place) return `${source}:${place.line}:${place.column}`;
  return line === undefined ? source : `${source}:${line}`;
}

function summaryLine(report: TestReport): string {
  const failed = failedCases(report).length;
  const all = report.cases.length;
  const broken = report.problems.length;
  return [
    `${all - failed} of ${all} ${all === 1 ? 'case passes' : 'cases pass'}`,
    ...(report.coverage.length === 0
      ? []
      : [`${coveredPercent(report.coverage)}% of what the policies say is exercised`]),
    ...(report.skippedByEnvoy === undefined
      ? []
      : [
          `decided by Envoy too${report.skippedByEnvoy === 0 ? '' : `, but for ${report.skippedByEnvoy} of the calls`}`,
        ]),
    ...(broken === 0 ? [] : [`${broken} ${broken === 1 ? 'problem' : 'problems'}`]),
  ].join('; ');
}

/** For programs: all of it. */
export function reportValue(report: TestReport): Readonly<Record<string, unknown>> {
  return {
    passed: report.cases.length - failedCases(report).length,
    failed: failedCases(report).length,
    cases: report.cases.map(({ failures, ...rest }) => ({
      ...rest,
      passed: failures.length === 0,
      failures,
    })),
    coverage: {
      percent: coveredPercent(report.coverage),
      policies: report.coverage.map(({ policy, units }) => ({
        policy: `${policy.meta.namespace}/${policy.meta.name}`,
        percent: coveredPercent([{ policy, units }]),
        open: units
          .filter(({ covered }) => !covered)
          .map((unit) => ({
            kind: unit.kind,
            at: placeOf(unit, report.locate),
            ...(unit.value === undefined ? {} : { value: unit.value }),
            message: describeUnit(unit),
          })),
      })),
    },
    problems: report.problems,
  };
}
