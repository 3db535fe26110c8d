/** Where a note ends in the file: behind its signatures, of which each begins with an em dash, stands an empty line. */
const end = Buffer.from('\n\n');
const signatures = Buffer.from('\n\n\u2014 ');

export interface LastBlock {
  readonly note: string;
  /** How many bytes at the end of the file are of a note that was cut off. */
  readonly torn: number;
}

/**
 * The last whole note of a file.
 * @param tail its end @param whole whether that is all of it
 * @returns undefined where there is none
 */
export function lastBlock(tail: Buffer, whole: boolean): LastBlock | undefined {
  const signed = lastWholeSignatures(tail);
  if (signed === undefined) return undefined;
  const before = signed.begin === 0 ? -1 : tail.lastIndexOf(end, signed.begin - 1);
  if (before < 0 && !whole) return undefined;
  const begin = before < 0 ? 0 : before + end.length;
  return { note: tail.toString('utf8', begin, signed.end + 1), torn: tail.length - signed.end - end.length };
}

/** Of the last signatures with their empty line: where the empty line before and the one behind them begin. */
function lastWholeSignatures(tail: Buffer): { readonly begin: number; readonly end: number } | undefined {
  for (let from = tail.length; from >= 0; ) {
    const begin = tail.lastIndexOf(signatures, from);
    if (begin < 0) return undefined;
    const closing = tail.indexOf(end, begin + end.length);
    if (closing >= 0) return { begin, end: closing };
    from = begin - 1;
  }
  return undefined;
}
