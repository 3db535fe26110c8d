/** Members of a parsed answer, looked at one by one: what Vault says is input like any other. */
export class Json {
  readonly #value: unknown;

  constructor(value: unknown) {
    this.#value = value;
  }

  get(name: string): Json {
    const value = this.#value;
    if (typeof value !== 'object' || value === null) return new Json(undefined);
    return new Json(
      Object.hasOwn(value, name) ? Object.entries(value).find(([key]) => key === name)?.[1] : undefined,
    );
  }

  text(): string | undefined {
    return typeof this.#value === 'string' ? this.#value : undefined;
  }

  number(): number | undefined {
    return typeof this.#value === 'number' && Number.isFinite(this.#value) ? this.#value : undefined;
  }

  boolean(): boolean | undefined {
    return typeof this.#value === 'boolean' ? this.#value : undefined;
  }

  /** Its members that are texts; none when it is not an array. */
  texts(): string[] {
    return Array.isArray(this.#value) ? this.#value.filter((each) => typeof each === 'string') : [];
  }
}
