/** A part of a YAML text that holds one document, or a few where only `...` parts them. */
export interface YamlChunk {
  readonly text: string;
  /** Lines before it. */
  readonly linesBefore: number;
}

/** Comments, blank lines and directives: what may stand before a document without being one. */
const onlyPrologue = /^(?:[ \t]*(?:#[^\n]*)?\r?(?:\n|$)|%[^\n]*(?:\n|$))*$/;

/**
 * Cuts a text at its document markers, without parsing it: YAML allows `---` at the start of a line nowhere else, block
 * scalars and quoted text included. So one document that is too large, or not YAML at all, leaves the others whole.
 */
export function splitDocuments(text: string): readonly YamlChunk[] {
  const chunks: YamlChunk[] = [];
  let start = 0;
  let lines = 0;
  const add = (end: number) => {
    const part = text.slice(start, end);
    chunks.push({ text: part, linesBefore: lines });
    lines += countLines(part);
    start = end;
  };
  for (const { index } of text.matchAll(/^---(?=[ \t\r\n]|$)/gm)) {
    // matchAll's `^` also follows a lone carriage return and U+2028, which end no line in YAML.
    const atLineStart = index === 0 || text[index - 1] === '\n';
    if (atLineStart && !onlyPrologue.test(text.slice(start, index))) add(index);
  }
  add(text.length);
  return chunks;
}

function countLines(text: string): number {
  let count = 0;
  for (let at = text.indexOf('\n'); at !== -1; at = text.indexOf('\n', at + 1)) count++;
  return count;
}
