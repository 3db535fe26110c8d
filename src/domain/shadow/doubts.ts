import type { MeshSourceState } from '../ports/index.ts';
import type { ShadowWorkload } from './model.ts';

/** Of workloads that are named in one doubt. */
const mostNamed = 5;

/**
 * Pure: what has not been shown of a candidate that somebody wants to enforce.
 * @param sources of all policies
 */
export function doubtsOf(
  workloads: readonly ShadowWorkload[],
  sources: readonly Pick<MeshSourceState, 'name' | 'problem'>[],
): readonly string[] {
  const judged = workloads.filter(({ standing }) => standing !== 'none');
  const without = judged.filter(({ standing, refusesTrial }) => standing !== 'current' && !refusesTrial);
  const silent = judged.filter((each) => each.standing === 'current' && !isSeen(each));
  const outdated = silent.filter(({ earlier }) => earlier > 0);
  const unseen = silent.filter(({ earlier }) => earlier === 0);
  const nothing = judged.length > 0 && !judged.some(isSeen);
  return [
    ...(without.length === 0
      ? []
      : [`${proxiesOf(without)} not taken the candidate: ${named(without, ({ standing }) => standing)}`]),
    ...(outdated.length === 0
      ? []
      : [`since the policies that hold were changed, no call was observed: ${named(outdated)}`]),
    ...(nothing && outdated.length === 0 ? ['nothing was observed: no call that came has been told of'] : []),
    ...(nothing || unseen.length === 0
      ? []
      : [
          `of ${unseen.length === 1 ? 'one workload' : `${unseen.length} workloads`} no call was observed: ${named(unseen)}`,
        ]),
    ...sources.flatMap(({ name, problem }) =>
      problem === undefined ? [] : [`what ${name} says may have been changed since: ${problem}`],
    ),
  ];
}

/** Pure: what no force helps against: Envoy takes no policies that it cannot read. */
export function obstaclesOf(workloads: readonly ShadowWorkload[]): readonly string[] {
  const refusing = workloads.filter(({ refusesTrial }) => refusesTrial);
  return refusing.length === 0
    ? []
    : [`${proxiesOf(refusing)} refused the candidate: ${named(refusing, ({ detail }) => detail)}`];
}

const isSeen = ({ each, sampled }: ShadowWorkload) => each + sampled > 0;

function proxiesOf({ length }: readonly ShadowWorkload[]): string {
  return length === 1 ? 'the proxy of one workload has' : `the proxies of ${length} workloads have`;
}

function named(
  workloads: readonly ShadowWorkload[],
  why: (each: ShadowWorkload) => string | undefined = () => undefined,
): string {
  const names = workloads.slice(0, mostNamed).map((each) => {
    const reason = why(each);
    return reason === undefined ? each.workload : `${each.workload} (${reason})`;
  });
  return `${names.join(', ')}${workloads.length > mostNamed ? ', ...' : ''}`;
}
