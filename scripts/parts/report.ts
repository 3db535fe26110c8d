import { relative } from 'node:path';
import { z } from 'zod';

/** What came of a part of a test run. */
export interface Outcome {
  readonly passed: number;
  readonly failures: readonly Failure[];
  readonly skipped: readonly string[];
}

interface Failure {
  readonly name: string;
  /** The first lines of what went wrong; empty when it was printed before. */
  readonly message: string;
}

const assertion = z.object({
  fullName: z.string(),
  status: z.enum(['passed', 'failed', 'skipped', 'pending', 'todo', 'disabled']),
  failureMessages: z.array(z.string()).nullish(),
});
const file = z.object({
  name: z.string(),
  status: z.string(),
  message: z.string().nullish(),
  assertionResults: z.array(assertion),
});
const report = z.object({ testResults: z.array(file) });

/**
 * Reads one report of Vitest's JSON reporter. A file that did not load counts as one failed case, for its tests are not
 * in the report; so does a run that failed without a failed case (an unhandled error) or wrote no report.
 */
export function outcomeOfReport(
  name: string,
  json: string | undefined,
  succeeded: boolean,
  root: string,
): Outcome {
  if (json === undefined)
    return { passed: 0, failures: [{ name: `vitest (${name}) wrote no report`, message: '' }], skipped: [] };
  const files = report.parse(JSON.parse(json)).testResults;
  const cases = files.flatMap((each) =>
    each.assertionResults.map((result) => ({
      ...result,
      name: `${relative(root, each.name)} > ${result.fullName}`,
    })),
  );
  const failures = cases
    .filter(({ status }) => status === 'failed')
    .map((failed) => ({ name: failed.name, message: excerpt(failed.failureMessages?.join('\n')) }));
  for (const each of files) {
    if (each.status !== 'failed' || each.assertionResults.some(({ status }) => status === 'failed')) continue;
    failures.push({
      name: relative(root, each.name),
      message: excerpt(each.message ?? 'the file did not load'),
    });
  }
  if (!succeeded && failures.length === 0) {
    failures.push({ name: `vitest (${name}) failed outside its tests`, message: 'its output is above' });
  }
  return {
    passed: cases.filter(({ status }) => status === 'passed').length,
    failures,
    skipped: cases
      .filter(({ status }) => !['passed', 'failed'].includes(status))
      .map((skipped) => skipped.name),
  };
}

function excerpt(message = ''): string {
  return message.split('\n').slice(0, 8).join('\n');
}

export function addUp(outcomes: readonly Outcome[]): Outcome {
  return {
    passed: outcomes.reduce((sum, { passed }) => sum + passed, 0),
    failures: outcomes.flatMap(({ failures }) => failures),
    skipped: outcomes.flatMap(({ skipped }) => skipped),
  };
}
