import { type Document, isMap, isNode, isPair, isScalar, LineCounter, parseAllDocuments } from 'yaml';
import { describeError } from '../kernel/index.ts';

export type YamlPath = readonly (string | number)[];

export interface YamlPlace {
  /** From 1. */
  readonly line: number;
  readonly column: number;
}

/** What keeps a text from being YAML. */
export interface YamlProblem extends YamlPlace {
  readonly message: string;
}

/** One document of a YAML text, which knows where each of its values stands. */
export interface YamlDocument {
  /** Undefined where `problems` says why, and for an empty document. */
  readonly value: unknown;
  readonly problems: readonly YamlProblem[];
  /** Where the document begins. */
  readonly start: YamlPlace;
  /** Where the value at `path` stands; where it is missing, its nearest parent. */
  position(path: YamlPath): YamlPlace;
  /** Where the key itself stands, for a key that should not be there. */
  keyPosition(parent: YamlPath, key: string): YamlPlace;
}

/** More than anybody writes by hand; a bomb of aliases needs many. */
const mostAliases = 20;

/**
 * Reads a YAML 1.2 text of one or several documents. Strict: keys are strings and stand once, nothing is merged.
 * It never throws; bound the text's size before.
 */
export function parseYaml(text: string): readonly YamlDocument[] {
  const lines = new LineCounter();
  const parsed = parseAllDocuments(text, {
    lineCounter: lines,
    prettyErrors: false,
    uniqueKeys: true,
    stringKeys: true,
    merge: false,
    version: '1.2',
  });
  const place = (offset: number): YamlPlace => {
    const { line, col } = lines.linePos(offset);
    return { line: Math.max(1, line), column: Math.max(1, col) };
  };
  // What is empty is told apart by the library, not by its type.
  return 'empty' in parsed ? [] : parsed.map((document) => toDocument(document, place));
}

function toDocument(document: Document.Parsed, place: (offset: number) => YamlPlace): YamlDocument {
  const problems: YamlProblem[] = [...document.errors, ...document.warnings].map((error) => ({
    ...place(error.pos[0]),
    message: `not valid YAML: ${error.message}`,
  }));
  const start = place(rangeOf(document.contents) ?? document.range[0]);
  let value: unknown;
  if (problems.length === 0) {
    try {
      value = document.toJS({ maxAliasCount: mostAliases }) ?? undefined;
    } catch (error) {
      problems.push({ ...start, message: `not valid YAML: ${describeError(error)}` });
    }
  }
  return {
    value,
    problems,
    start,
    position: (path) => place(offsetOf(document, path)),
    keyPosition: (parent, key) => place(keyOffset(document, parent, key)),
  };
}

function offsetOf(document: Document.Parsed, path: YamlPath): number {
  for (let length = path.length; length > 0; length--) {
    const range = rangeOf(document.getIn(path.slice(0, length), true));
    // What is missing is best shown at its parent's key: that is the line to edit.
    if (range !== undefined)
      return length === path.length
        ? range
        : keyOffset(document, path.slice(0, length - 1), path[length - 1]);
  }
  return rangeOf(document.contents) ?? document.range[0];
}

function keyOffset(document: Document.Parsed, parent: YamlPath, key: string | number | undefined): number {
  const map = parent.length === 0 ? document.contents : document.getIn(parent, true);
  if (isMap(map)) {
    const pair = map.items.find((item) => isPair(item) && isScalar(item.key) && item.key.value === key);
    const range = pair && rangeOf(pair.key);
    if (range !== undefined) return range;
  }
  return key === undefined ? 0 : (rangeOf(document.getIn([...parent, key], true)) ?? 0);
}

function rangeOf(node: unknown): number | undefined {
  return isNode(node) ? node.range?.[0] : undefined;
}
