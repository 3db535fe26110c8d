/** Why something is not known: names of what a record lacks. */
export type Unknown = ReadonlySet<string>;

/** A value of Kleene's three-valued logic: what is not known says what would have to be. */
export type Trilean = boolean | Unknown;

export function isUnknown(value: Trilean): value is Unknown {
  return typeof value !== 'boolean';
}

export function unknown(...lacks: readonly string[]): Unknown {
  return new Set(lacks);
}

export function not(value: Trilean): Trilean {
  return isUnknown(value) ? value : !value;
}

/** False where one is, else unknown where one is. */
export function every(values: readonly Trilean[]): Trilean {
  return values.includes(false) ? false : (lacking(values) ?? true);
}

/** True where one is, else unknown where one is. */
export function some(values: readonly Trilean[]): Trilean {
  return values.includes(true) ? true : (lacking(values) ?? false);
}

function lacking(values: readonly Trilean[]): Unknown | undefined {
  const all = values.filter(isUnknown).flatMap((each) => [...each]);
  return all.length === 0 ? undefined : new Set(all);
}
