import { once } from './once.ts';

/**
 * One object a key, for as long as somebody holds it: what is made of equal things, by whom and when ever, is the very
 * same object. Nothing is held for the sake of this.
 */
export class Shared<V extends object> {
  readonly #byKey = new Map<string, WeakRef<V>>();
  readonly #gone = new FinalizationRegistry<string>((key) => {
    if (this.#byKey.get(key)?.deref() === undefined) this.#byKey.delete(key);
  });

  get(key: string, make: () => V): V {
    const known = this.#byKey.get(key)?.deref();
    if (known !== undefined) return known;
    const made = make();
    this.#byKey.set(key, new WeakRef(made));
    this.#gone.register(made, key);
    return made;
  }
}

/** The same function, which answers equal arguments (as JSON writes them) by the same object, while somebody holds it. */
export function byContent<A extends readonly unknown[], R extends object>(
  of: (...args: A) => R,
): (...args: A) => R {
  const answers = new Shared<R>();
  return (...args) => answers.get(JSON.stringify(args), () => of(...args));
}

let identities = 0;

/** A text for each object, which no other one has. */
export const identityOf = once<object, string>(() => {
  identities += 1;
  return identities.toString(36);
});

/** Gives of lists with the same members the same one, while somebody holds it. */
export function sharedLists<T extends object>(): (list: readonly T[]) => readonly T[] {
  const lists = new Shared<readonly T[]>();
  return (list) => lists.get(list.map(identityOf).join(), () => list);
}
