/** From 0 to 1: how much of a text a pattern has in common with it at both ends. Only for the order of what is told. */
export function closeness(came: readonly string[], wanted: readonly string[]): number {
  return Math.max(0, ...came.flatMap((text) => wanted.map((pattern) => alike(bare(text), bare(pattern)))));
}

/** Principals are written without their scheme, and stars are no letters. */
function bare(text: string): string {
  return text.replace(/^spiffe:\/\//, '').replaceAll('*', '');
}

function alike(a: string, b: string): number {
  const most = Math.min(a.length, b.length);
  let start = 0;
  while (start < most && a[start] === b[start]) start += 1;
  let end = 0;
  while (end < most - start && a.at(-1 - end) === b.at(-1 - end)) end += 1;
  return a === b ? 1 : (start + end) / Math.max(a.length, b.length);
}
