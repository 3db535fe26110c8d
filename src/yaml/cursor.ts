import {
  type Document,
  isMap,
  isPair,
  isScalar,
  isSeq,
  type Node,
  type Pair,
  parseAllDocuments,
  type Scalar,
  visit,
} from 'yaml';
import { maximumYamlBytes, strictOptions, type YamlPath, type YamlPlace } from './document.ts';
import { splitDocuments, type YamlChunk } from './split.ts';

/** What stands at a place of a text that somebody reads or is still writing. */
export interface YamlCursor {
  /** Of the key or the value; of a key that is being written, of the map that it is for. */
  readonly path: YamlPath;
  readonly role: 'key' | 'value';
  /** Without quotes. */
  readonly text: string;
  /** Of it, what is before the cursor. */
  readonly before: string;
  readonly quoted: boolean;
  /** Where the text begins and ends, behind its quote and before it. */
  readonly start: YamlPlace;
  readonly end: YamlPlace;
  /** Other keys of the map, or other texts of the list. */
  readonly beside: readonly string[];
  /** As much of the document as can be read. */
  readonly document: unknown;
}

/** No text of anybody's holds it; a letter first, so that it is plain text wherever it comes. */
const placeholder = 'zz\u{e000}cursor\u{e000}zz';

/** What stands under the cursor: a key or a value; undefined for anything else. Never throws. */
export function cursorAt(text: string, place: YamlPlace): YamlCursor | undefined {
  return find(text, place, false);
}

/** What is being written at the cursor, be it nothing yet; undefined where it cannot be told. Never throws. */
export function writingAt(text: string, place: YamlPlace): YamlCursor | undefined {
  return find(text, place, true);
}

function find(text: string, place: YamlPlace, writing: boolean): YamlCursor | undefined {
  const chunk = splitDocuments(text).findLast(({ linesBefore }) => linesBefore < place.line);
  if (!chunk || Buffer.byteLength(chunk.text) > maximumYamlBytes) return undefined;
  try {
    return findInChunk(chunk, place, writing);
  } catch {
    // Nested too deeply for the parser's stack.
    return undefined;
  }
}

function findInChunk(chunk: YamlChunk, place: YamlPlace, writing: boolean): YamlCursor | undefined {
  const offset = offsetOf(chunk, place);
  if (offset === undefined) return undefined;
  const { text } = chunk;
  const searched = writing ? text.slice(0, offset) + placeholder + text.slice(offset) : text;
  for (const document of parse(searched)) {
    const found = scalarAt(document, offset, writing);
    if (!found) continue;
    const { scalar, path, role, beside } = found;
    const [from = 0, to = 0] = scalar.range ?? [];
    const quoted = scalar.type === 'QUOTE_DOUBLE' || scalar.type === 'QUOTE_SINGLE';
    const start = from + (quoted ? 1 : 0);
    const closed = quoted && searched[to - 1] === searched[from] && to - from > 1;
    const last = to - (closed ? 1 : 0) - (writing ? placeholder.length : 0);
    const line = text.indexOf('\n', offset);
    // A key that is being written has no colon, and so takes the next line's key along.
    const swallowed = writing && line !== -1 && line < last ? text.slice(line, last).trim() : '';
    const end = swallowed === '' ? Math.min(last, line === -1 ? last : Math.max(line, start)) : line;
    return {
      path,
      role,
      text: text.slice(start, end),
      before: text.slice(start, Math.min(offset, end)),
      quoted,
      start: placeOf(chunk, start),
      end: placeOf(chunk, end),
      beside: swallowed === '' ? beside : [...beside, swallowed],
      document: valueOf(text, document, writing),
    };
  }
  return undefined;
}

function parse(text: string): readonly Document.Parsed[] {
  const parsed = parseAllDocuments(text, strictOptions);
  return 'empty' in parsed ? [] : parsed;
}

interface FoundScalar extends Pick<YamlCursor, 'path' | 'role' | 'beside'> {
  readonly scalar: Scalar;
}

function scalarAt(document: Document.Parsed, offset: number, writing: boolean): FoundScalar | undefined {
  let found: FoundScalar | undefined;
  visit(document, {
    Scalar(key, scalar, ancestors) {
      const [from, to] = scalar.range ?? [];
      if (from === undefined || to === undefined || offset < from || offset > to) return undefined;
      const role = key === 'key' ? 'key' : 'value';
      const nodes = [...ancestors, scalar];
      const path = nodes.flatMap((node, index) => stepOf(node, nodes[index + 1]));
      const parent = role === 'key' ? ancestors.at(-2) : ancestors.at(-1);
      found = {
        scalar,
        role,
        path: role === 'key' && writing ? path.slice(0, -1) : path,
        beside: besideOf(parent, scalar),
      };
      return visit.BREAK;
    },
  });
  return found;
}

/** What a node adds to the path to the next one. */
function stepOf(node: Document | Node | Pair, next: unknown): YamlPath {
  if (isPair(node)) return isScalar(node.key) ? [String(node.key.value)] : [];
  if (isSeq(node)) return [node.items.indexOf(next)];
  return [];
}

function besideOf(parent: unknown, scalar: Scalar): readonly string[] {
  const beside = isMap(parent) ? parent.items.map(({ key }) => key) : isSeq(parent) ? parent.items : [];
  return beside.flatMap((each) => (each !== scalar && isScalar(each) ? [String(each.value)] : []));
}

/** Of a text that is being written, without what was put at the cursor. */
function valueOf(text: string, document: Document.Parsed, writing: boolean): unknown {
  try {
    if (!writing) return document.toJS({ maxAliasCount: 0 });
    const before = document.range[0];
    return parse(text)
      .findLast(({ range }) => range[0] <= before)
      ?.toJS({ maxAliasCount: 0 });
  } catch {
    return undefined;
  }
}

function offsetOf({ text, linesBefore }: YamlChunk, { line, column }: YamlPlace): number | undefined {
  let start = 0;
  for (let left = line - linesBefore; left > 1; left--) {
    const end = text.indexOf('\n', start);
    if (end === -1) return undefined;
    start = end + 1;
  }
  const end = text.indexOf('\n', start);
  return Math.min(start + column - 1, end === -1 ? text.length : end);
}

function placeOf({ text, linesBefore }: YamlChunk, offset: number): YamlPlace {
  const lines = text.slice(0, offset).split('\n');
  return { line: linesBefore + lines.length, column: (lines.at(-1)?.length ?? 0) + 1 };
}
