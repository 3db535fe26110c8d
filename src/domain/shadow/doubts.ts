import type { ShadowWorkload } from './model.ts';

/** Of workloads that are named in one doubt. */
const mostNamed = 5;

/** Pure: what has not been shown of a candidate that somebody wants to enforce. */
export function doubtsOf(workloads: readonly ShadowWorkload[]): readonly string[] {
  const judged = workloads.filter(({ standing }) => standing !== 'none');
  const without = judged.filter(({ standing }) => standing !== 'current');
  const silent = judged.filter(
    ({ standing, each, sampled }) => standing === 'current' && each + sampled === 0,
  );
  return [
    ...(without.length === 0
      ? []
      : [`${count(without)} not taken the candidate: ${named(without, ({ standing }) => standing)}`]),
    ...(judged.length === 0 || judged.some(({ each, sampled }) => each + sampled > 0)
      ? []
      : ['nothing was observed: no call that came has been told of']),
    ...(silent.length === 0 || silent.length === judged.length
      ? []
      : [
          `of ${silent.length === 1 ? 'one workload' : `${silent.length} workloads`} no call was observed: ${named(silent)}`,
        ]),
  ];
}

function count({ length }: readonly ShadowWorkload[]): string {
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
