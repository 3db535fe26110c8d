/** Values by name over a base that others may have too: what a thousand have alike is held once. */
export class Layered<V> {
  #base: ReadonlyMap<string, V> = new Map();
  /** Undefined: of the base, and here no more. */
  readonly #own = new Map<string, V | undefined>();

  get(name: string): V | undefined {
    return this.#own.has(name) ? this.#own.get(name) : this.#base.get(name);
  }

  set(name: string, value: V): void {
    if (this.#base.get(name) === value) this.#own.delete(name);
    else this.#own.set(name, value);
  }

  delete(name: string): void {
    if (this.#base.has(name)) this.#own.set(name, undefined);
    else this.#own.delete(name);
  }

  /** All of these, and what is here besides. */
  rest(on: ReadonlyMap<string, V>): void {
    const besides = this.names().flatMap((name): [string, V][] => {
      const value = this.get(name);
      return on.has(name) || value === undefined ? [] : [[name, value]];
    });
    this.#base = on;
    this.#own.clear();
    for (const [name, value] of besides) this.#own.set(name, value);
  }

  names(): readonly string[] {
    const all = new Set([...this.#base.keys(), ...this.#own.keys()]);
    return [...all].filter((name) => this.get(name) !== undefined);
  }
}
