/** One thing wrong with a configuration: where, what, and what mends it. */
export interface ConfigProblem {
  /** The file, or the environment variable that gave the value. */
  readonly source: string;
  /** From 1; absent for an environment variable. */
  readonly line?: number;
  readonly column?: number;
  /** As in `attestation.kubernetes.clusters[0].id`; empty for the document itself. */
  readonly path: string;
  readonly message: string;
  readonly mend?: string;
}

/** One line: `FILE:LINE:COLUMN: PATH: MESSAGE; MEND`. */
export function formatProblem(problem: ConfigProblem): string {
  const place = problem.line === undefined ? '' : `:${problem.line}:${problem.column ?? 1}`;
  const path = problem.path === '' ? '' : `${problem.path}: `;
  return `${problem.source}${place}: ${path}${problem.message}${problem.mend ? `; ${problem.mend}` : ''}`;
}
