import type { PolicyStatus } from '../../../domain/mesh/index.ts';
import type { PolicyRecord } from './record.ts';

/** As meta/v1 has it, but for the time of its last transition. */
export interface Condition {
  readonly type: 'Accepted' | 'Programmed';
  readonly status: 'True' | 'False' | 'Unknown';
  readonly reason: string;
  readonly message: string;
  readonly observedGeneration: number;
}

/** Long enough to mend by, short enough for a terminal; Kubernetes takes 32768. */
const longestMessage = 2048;
const mostProblems = 10;
const mostRefusals = 3;
const longestRefusal = 300;

export interface Standing {
  readonly status: PolicyStatus;
  /** Of the policy that counts under this name. */
  readonly hash: string;
}

/**
 * What an object's conditions should say.
 * @param source the name that our own policies bear as their origin
 * @returns undefined while the control plane has not taken the object as it is now
 */
export function conditionsOf(
  record: PolicyRecord,
  standing: Standing | undefined,
  source: string,
): readonly Condition[] | undefined {
  const { generation, problems, hash } = record;
  const accepted = (status: Condition['status'], reason: string, message: string): Condition => ({
    type: 'Accepted',
    status,
    reason,
    message: cut(message, longestMessage),
    observedGeneration: generation,
  });
  const nothing = (reason: string, message: string): Condition => ({
    type: 'Programmed',
    status: 'False',
    reason,
    message,
    observedGeneration: generation,
  });
  const origin = standing?.status.policy.meta.origin.source;
  // One that says the same is as good as this one: two clusters are often given the same policies.
  if (standing && origin !== undefined && origin !== source && standing.hash !== hash) {
    const message = `the object of this name in ${origin} counts in its place`;
    return [accepted('False', 'Shadowed', message), nothing('Shadowed', message)];
  }
  if (hash === undefined) {
    const invalid = accepted('False', 'Invalid', problemText(problems));
    if (!standing) return [invalid, nothing('Invalid', 'nothing of it has ever been in force')];
    const good = standing.status.policy.meta.generation;
    const { message, ...rest } = programmed(standing.status, good);
    return [
      invalid,
      { ...rest, message: cut(`generation ${good}, its last good form: ${message}`, longestMessage) },
    ];
  }
  if (standing?.hash !== hash) return undefined;
  return [
    accepted('True', 'Accepted', 'it can be read, and counts'),
    programmed(standing.status, generation),
  ];
}

function programmed(status: PolicyStatus, observedGeneration: number): Condition {
  const { workloads, current, pending, refusals } = status;
  const all = current + pending + refusals.length;
  const say = (is: Condition['status'], reason: string, message: string): Condition => ({
    type: 'Programmed',
    status: is,
    reason,
    message: cut(message, longestMessage),
    observedGeneration,
  });
  if (workloads === 0) return say('Unknown', 'NoWorkloads', 'it holds for no workload');
  if (all === 0)
    return say(
      'Unknown',
      'NoProxies',
      `it holds for ${count(workloads, 'workload')}, of which no proxy is connected`,
    );
  const have = `${current} of ${count(all, 'proxy', 'proxies')} accepted it`;
  if (refusals.length > 0) return say('False', 'Refused', `${have}; ${refusalText(refusals)}`);
  if (pending > 0) return say('False', 'Pending', `${have}; ${pending} did not answer yet`);
  return say('True', 'Programmed', have);
}

function problemText(problems: readonly string[]): string {
  const told = problems.slice(0, mostProblems);
  const left = problems.length - told.length;
  return [...told, ...(left > 0 ? [`and ${left} more`] : [])].join('\n');
}

/** In an order of their own: which proxy spoke first would make it another text each time. */
function refusalText(refusals: PolicyStatus['refusals']): string {
  const told = refusals
    .map(
      ({ workload, error }) => `${workload} refuses what it was sent: ${cut(oneLine(error), longestRefusal)}`,
    )
    .toSorted()
    .slice(0, mostRefusals);
  const left = refusals.length - told.length;
  return [...told, ...(left > 0 ? [`and ${left} more`] : [])].join('; ');
}

/** The words are a proxy's, and whoever holds its certificate chooses them: they must not steer a terminal. */
function oneLine(text: string): string {
  return text.replaceAll(/[\s\p{Cc}]+/gu, ' ');
}

function count(number: number, one: string, several = `${one}s`): string {
  return `${number} ${number === 1 ? one : several}`;
}

function cut(text: string, longest: number): string {
  // Not within a pair of surrogates, of which half is no text.
  return text.length <= longest ? text : `${text.slice(0, longest - 1).replace(/[\uD800-\uDBFF]$/, '')}…`;
}
