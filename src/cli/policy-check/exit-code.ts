import { exitCodes } from '../exit-codes.ts';
import { failedCases } from '../policy-testing/report.ts';
import type { Findings } from './gather.ts';

/** Kinds of findings, the gravest first: the exit code is that of the first that there is. */
const kinds = {
  problems: {
    code: exitCodes.broken,
    is: ({ problems }: Findings) => problems.length > 0,
  },
  tests: {
    code: exitCodes.testFailed,
    is: ({ tests }: Findings) => failedCases(tests).length > 0,
  },
  undecided: {
    code: exitCodes.undecided,
    is: ({ comparison }: Findings) =>
      comparison !== undefined && (comparison.undecided.length > 0 || !comparison.complete),
  },
  allowed: {
    code: exitCodes.becomesAllowed,
    is: ({ comparison }: Findings) =>
      comparison?.differences.some(({ becomes }) => becomes === 'allowed') === true,
  },
  denied: {
    code: exitCodes.becomesDenied,
    is: ({ comparison }: Findings) =>
      comparison?.differences.some(({ becomes }) => becomes === 'denied') === true,
  },
  warnings: {
    code: exitCodes.warning,
    is: ({ warnings }: Findings) => warnings.length > 0,
  },
} as const;

export type FindingKind = keyof typeof kinds;

export const findingKinds: readonly FindingKind[] = [
  'problems',
  'tests',
  'undecided',
  'allowed',
  'denied',
  'warnings',
];

/** @param failOn of the others it is told, and no more */
export function checkExitCode(findings: Findings, failOn: readonly FindingKind[]): number {
  const found = findingKinds.find((kind) => failOn.includes(kind) && kinds[kind].is(findings));
  return found === undefined ? exitCodes.ok : kinds[found].code;
}
