import {
  describePolicyProblem,
  type LintWarning,
  type PolicyJudgement,
  type PolicyProblem,
} from '../../domain/policy/index.ts';
import type { AdmissionAnswer, AdmissionRequest } from './review.ts';

const group = 'security.istio.io';

/** Kubernetes cuts a warning to so many characters, and gives none once all of them have more than so many. */
const longestWarning = 256;
const mostWarnings = 4096 / longestWarning - 1;
/** Nobody mends more at a time. */
const mostProblems = 10;
const longestProblem = 1024;

/** Decides what an API server is told. Nothing is changed by it: a dry run is answered as any other. */
export function answerReview(
  request: AdmissionRequest,
  judge: (object: unknown) => PolicyJudgement,
): AdmissionAnswer {
  const { operation, group: asked, kind, object } = request;
  if (asked !== group)
    return { allowed: true, warnings: [oneLine(`citadel judges the policies of ${group}, and no ${kind}`)] };
  // One that goes must be able to, however broken: each finalizer that is taken off is an update.
  if (operation === 'DELETE' || operation === 'CONNECT' || isGoing(object)) return { allowed: true };
  const { problems, warnings } = judge(object);
  if (problems.length > 0) return { allowed: false, status: refusal(kind, problems) };
  return warnings.length > 0 ? { allowed: true, warnings: warningLines(warnings) } : { allowed: true };
}

function refusal(kind: string, problems: readonly PolicyProblem[]): object {
  const told = problems.slice(0, mostProblems);
  const left = problems.length - told.length;
  const lines = [
    ...told.map((problem) => cut(describePolicyProblem(problem), longestProblem)),
    ...(left > 0 ? [`and ${left} more`] : []),
  ];
  const name = problems.find(({ object }) => object)?.object?.name;
  return {
    code: 422,
    reason: 'Invalid',
    message: lines.length === 1 ? lines[0] : lines.map((line) => `\n- ${line}`).join(''),
    details: {
      group,
      kind,
      ...(name === undefined ? {} : { name }),
      // kubectl prints these in place of the message.
      causes: told.map(({ path, message, mend }) => ({
        reason: 'FieldValueInvalid',
        field: path,
        message: cut(mend === undefined ? message : `${message}; ${mend}`, longestProblem),
      })),
    },
  };
}

/** As many as Kubernetes hands on, each as long as it hands on. */
export function warningLines(warnings: readonly LintWarning[]): readonly string[] {
  const fits = warnings.length <= mostWarnings;
  const told = warnings.slice(0, fits ? mostWarnings : mostWarnings - 1);
  const lines = told.map(({ path, message, mend }) => oneLine(`${path}: ${message}; ${mend}`));
  return fits ? lines : [...lines, `and ${warnings.length - told.length} more: see citadel policy lint`];
}

/** A warning travels in an HTTP header, which bears no control characters. */
function oneLine(text: string): string {
  return cut(text.replaceAll(/\p{Cc}+/gu, ' '), longestWarning);
}

/** By code points, as Go counts them. */
function cut(text: string, longest: number): string {
  const points = Array.from(text.slice(0, 2 * longest + 2));
  return points.length <= longest ? text : `${points.slice(0, longest - 1).join('')}…`;
}

function isGoing(object: unknown): boolean {
  const metadata: unknown = Object(Reflect.get(Object(object), 'metadata'));
  return typeof Reflect.get(Object(metadata), 'deletionTimestamp') === 'string';
}
