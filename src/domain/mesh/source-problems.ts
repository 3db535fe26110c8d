import type { MeshSourceState } from '../ports/index.ts';

/** What of a source does not count, one line each. */
export function sourceProblems({
  name,
  problem,
  rejected,
  shadowed,
  warnings,
}: MeshSourceState): readonly string[] {
  return [
    ...(problem === undefined ? [] : [`${name} is away: ${problem}`]),
    ...rejected.map(
      ({ reason, kept }) =>
        `${reason}; ${kept ? 'its last good form is in force' : 'nothing of it is in force'}`,
    ),
    ...shadowed.map(({ reason }) => reason),
    ...warnings.map((warning) => `${name}: ${warning}`),
  ];
}
