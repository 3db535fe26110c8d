/** The same function, which works out its answer once for each object that it is asked about. */
export function once<T extends object, R extends string | number | boolean | object>(
  of: (value: T) => R,
): (value: T) => R {
  const known = new WeakMap<T, R>();
  return (value) => {
    const before = known.get(value);
    if (before !== undefined) return before;
    const answer = of(value);
    known.set(value, answer);
    return answer;
  };
}
