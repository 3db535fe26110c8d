/** A message as it is generated from proto: a plain object, in which a choice has `$case` and `value`. */
export type Node = Readonly<Record<string, unknown>>;

/** The same message with each of its nodes changed, the innermost first. */
export function rewrite<T>(message: T, change: (node: Node) => Node): T {
  // What is put in the place of a node has its type, or Envoy would refuse it.
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  return walk(message, change) as T;
}

function walk(value: unknown, change: (node: Node) => Node): unknown {
  if (Array.isArray(value)) return value.map((each: unknown) => walk(each, change));
  if (typeof value !== 'object' || value === null || value instanceof Uint8Array) return value;
  return change(
    Object.fromEntries(
      Object.entries(value).map(([key, each]: [string, unknown]) => [key, walk(each, change)]),
    ),
  );
}

/** Changes the choices of one case. */
export function choice(name: string, change: (value: unknown) => Node): (node: Node) => Node {
  return (node) => (node['$case'] === name ? change(node['value']) : node);
}

export function isNode(value: unknown): value is Node {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
