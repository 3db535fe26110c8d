import type { MeshSource } from '../ports/index.ts';
import type { SnapshotParts } from './snapshot.ts';

/** What all sources would give with the change that one of them knows of; undefined where none does. */
export function candidateOf(sources: readonly MeshSource[]): SnapshotParts['candidate'] {
  const id = sources.map((source) => source.candidate?.()?.id).find((each) => each !== undefined);
  if (id === undefined) return undefined;
  return {
    id,
    contents: sources.flatMap((source) => source.candidate?.()?.content ?? source.content() ?? []),
  };
}
