import type { KeySets } from '../../src/domain/jwks/index.ts';

export interface FakeKeySets extends KeySets {
  readonly wanted: ReadonlySet<string>;
  /** Ends the wait for a set: with keys, or without. */
  set(id: string, jwks: string | undefined): void;
}

/** Key sets that come when a test says so. */
export function fakeKeySets(): FakeKeySets {
  const wanted = new Set<string>();
  const known = new Map<string, string | undefined>();
  const waiting = new Set<() => void>();
  let changed = () => {};
  const pending = () => [...wanted].some((id) => !known.has(id));
  return {
    wanted,
    set(id, jwks) {
      known.set(id, jwks);
      changed();
      if (!pending()) for (const resolve of waiting) resolve();
    },
    start: (notify) => {
      changed = notify;
    },
    follow(next) {
      wanted.clear();
      for (const id of next.keys()) wanted.add(id);
    },
    content: () => new Map([...known].flatMap(([id, jwks]) => (jwks === undefined ? [] : [[id, jwks]]))),
    isPending: (id) => !known.has(id),
    settled: () => new Promise((resolve) => (pending() ? waiting.add(resolve) : resolve())),
    states: () => [],
    close: () => Promise.resolve(),
  };
}
