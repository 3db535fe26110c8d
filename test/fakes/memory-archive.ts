import type { Archive, Archived } from '../../src/domain/ports/index.ts';

export interface MemoryArchive extends Archive {
  /** By id, as JSON has it. */
  readonly kept: Map<string, Archived>;
}

/** An archive that lives as long as its test. */
export function memoryArchive(): MemoryArchive {
  const kept = new Map<string, Archived>();
  return {
    kept,
    load: async (id) => kept.get(id),
    save: async (id, { content, at }) => {
      kept.set(id, { content: JSON.parse(JSON.stringify(content)), at });
    },
    retain: async (ids) => {
      for (const id of [...kept.keys()].filter((each) => !ids.has(each))) kept.delete(id);
    },
  };
}
