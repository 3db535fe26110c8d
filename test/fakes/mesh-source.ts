import type { MeshContent, MeshSource } from '../../src/domain/ports/index.ts';

export interface FakeMeshSource extends MeshSource {
  set(content: MeshContent): void;
}

/** A source that gives what a test says. */
export function fakeMeshSource(name: string, initial?: MeshContent): FakeMeshSource {
  let content = initial;
  let changed = () => {};
  return {
    name,
    start: (notify) => {
      changed = notify;
      return Promise.resolve();
    },
    content: () => content,
    state: () => ({
      name,
      currentAt: undefined,
      problem: undefined,
      rejected: [],
      shadowed: [],
      warnings: [],
    }),
    set: (next) => {
      content = next;
      changed();
    },
    close: () => Promise.resolve(),
  };
}
