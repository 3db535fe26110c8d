/** Makes a value anew only where something that it is made of is another than at the time before. */
export class Memo<V> {
  #before = new Map<string, { readonly inputs: readonly unknown[]; readonly value: V }>();
  #now = new Map<string, { readonly inputs: readonly unknown[]; readonly value: V }>();

  get(key: string, inputs: readonly unknown[], make: () => V): V {
    const before = this.#before.get(key);
    const same =
      before?.inputs.length === inputs.length && before.inputs.every((each, at) => each === inputs[at]);
    const entry = before && same ? before : { inputs, value: make() };
    this.#now.set(key, entry);
    return entry.value;
  }

  /** Ends a round: what was not asked for in it is forgotten. */
  next(): void {
    this.#before = this.#now;
    this.#now = new Map();
  }
}
