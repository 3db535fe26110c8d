/** Characters of a line that are looked at: the patterns below take the square of what there is. */
const longestLook = 1_000;

/**
 * The field that a value stands in: of its own line, as in `namespaces: ["a", `, or of the nearest line above that is
 * indented no more than the item, as for `- a` below `namespaces:`.
 */
export function fieldOf(
  before: string,
  number: number,
  lineAt: (number: number) => string,
): string | undefined {
  const near = before.slice(-longestLook);
  const own = /([A-Za-z]+):\s*(?:\[[^\]]*)?["']?$/.exec(near)?.[1];
  if (own !== undefined) return own;
  if (before.length > longestLook) return undefined;
  const item = /^(\s*)-\s*["']?$/.exec(before);
  if (!item) return undefined;
  const indent = item[1]?.length ?? 0;
  for (let above = number - 1; above > 0 && number - above < 200; above -= 1) {
    const parent = /^(\s*(?:-\s+)*)([A-Za-z]+):\s*$/.exec(lineAt(above));
    if (parent && (parent[1]?.length ?? 0) <= indent) return parent[2];
  }
  return undefined;
}
