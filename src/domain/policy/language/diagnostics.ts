import type { YamlPlace } from '../../../yaml/index.ts';
import { type LintWarning, lintPolicies, lintWithoutWorld } from '../lint/index.ts';
import type { PolicyProblem } from '../read/index.ts';
import { readPolicies } from '../read/index.ts';
import { readPolicyTests } from '../testing/index.ts';
import { type PolicyWorld, withPolicies } from '../world/index.ts';

/** Something about a text that its author should know. */
export interface Diagnostic {
  readonly severity: 'error' | 'warning';
  /** The name of a check; absent for what keeps an object from being read. */
  readonly rule?: string;
  readonly start: YamlPlace;
  /** Behind what it is about, on the same line. */
  readonly end: YamlPlace;
  readonly message: string;
}

/** As for who writes into a cluster: somebody waits for the answer with each letter. */
const comparisons = 200_000;

/**
 * All that is wrong with a text, and what is legal and surely not meant. @param world with whose other policies it is judged;
 * undefined: by itself
 */
export function diagnosticsOf(
  text: string,
  source: string,
  world: PolicyWorld | undefined,
): readonly Diagnostic[] {
  const reading = readPolicies(text, { source });
  const { policies, locate } = reading;
  const broken = ofTestsToo(reading.problems, text, source);
  const warnings = world
    ? lintPolicies(withPolicies(world, policies).policies, world, locate, { subjects: policies, comparisons })
    : lintWithoutWorld(policies, locate, { comparisons });
  const lines = text.split('\n');
  return [
    ...broken.map((problem) => diagnostic('error', problem, lines)),
    ...warnings.map((warning) => ({ ...diagnostic('warning', warning, lines), rule: warning.rule })),
  ];
}

/** What keeps the policies of a text from being read, and its tests. */
export function textProblems(text: string, source: string): readonly PolicyProblem[] {
  return ofTestsToo(readPolicies(text, { source }).problems, text, source);
}

/** Text that is no YAML is told by both readers. */
function ofTestsToo(
  problems: readonly PolicyProblem[],
  text: string,
  source: string,
): readonly PolicyProblem[] {
  const all = [...problems, ...readPolicyTests(text, source).problems];
  const keyOf = ({ line, column, path, message }: PolicyProblem) => `${line}:${column}: ${path}: ${message}`;
  return [...new Map(all.map((each) => [keyOf(each), each])).values()];
}

function diagnostic(
  severity: Diagnostic['severity'],
  { line = 1, column = 1, path, message, mend }: PolicyProblem | LintWarning,
  lines: readonly string[],
): Diagnostic {
  const start = { line, column };
  const text = lines[line - 1] ?? '';
  return {
    severity,
    start,
    end: { line, column: column + lengthAt(text, column - 1) },
    message: `${path === '' ? '' : `${path}: `}${message}${mend === undefined ? '' : `; ${mend}`}`,
  };
}

/** Of the text, in quotes or not, that begins there. */
function lengthAt(line: string, start: number): number {
  const rest = line.slice(start);
  const [found = ''] = /^(?:"(?:[^"\\]|\\.)*"|'[^']*'|[^\s,[\]{}#]+)/.exec(rest) ?? [];
  return Math.max(1, found.replace(/:$/, '').length);
}
