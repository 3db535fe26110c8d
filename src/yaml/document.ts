import {
  type Document,
  isMap,
  isNode,
  isPair,
  isScalar,
  LineCounter,
  type ParseOptions,
  parseAllDocuments,
  visit,
} from 'yaml';
import { describeError } from '../kernel/index.ts';
import { splitDocuments, type YamlChunk } from './split.ts';
import { mostProblems } from './strict.ts';

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

/** Where the parts of a value stand in the text that it was read from. */
export interface YamlPositions {
  /** Where the value at `path` stands; where it is missing, its nearest parent. */
  position(path: YamlPath): YamlPlace;
  /** Where the key itself stands, for a key that should not be there. */
  keyPosition(parent: YamlPath, key: string): YamlPlace;
}

/** One document of a YAML text, which knows where each of its values stands. */
export interface YamlDocument extends YamlPositions {
  /** Undefined where `problems` says why, and for an empty document. */
  readonly value: unknown;
  readonly problems: readonly YamlProblem[];
  /** Where the document begins. */
  readonly start: YamlPlace;
}

export interface YamlLimits {
  /** Of one document. */
  readonly maximumBytes?: number;
  /** Of the whole text. */
  readonly maximumTextBytes?: number;
  /** A bomb of aliases needs many. */
  readonly maximumAliases?: number;
}

/** More than anybody writes by hand, and what Kubernetes takes at most. */
export const maximumYamlBytes = 1024 * 1024;

const defaults: Required<YamlLimits> = {
  maximumBytes: maximumYamlBytes,
  maximumTextBytes: 64 * maximumYamlBytes,
  maximumAliases: 20,
};

/** Strict: keys are strings, nothing is merged. */
export const strictOptions = {
  prettyErrors: false,
  // The library compares each key with each: a map of a megabyte would take minutes. See keysTwice.
  uniqueKeys: false,
  stringKeys: true,
  merge: false,
  version: '1.2',
  logLevel: 'error',
} as const;

/** Reads a YAML 1.2 text of one or several documents. It never throws; what is wrong with one leaves the others. */
export function parseYaml(text: string, limits: YamlLimits = {}): readonly YamlDocument[] {
  return [...yamlDocuments(text, limits)];
}

/** The documents of a text, each read when it is asked for: between two of a long text others may have their turn. */
export function* yamlDocuments(text: string, limits: YamlLimits = {}): Generator<YamlDocument, void> {
  const bounds = { ...defaults, ...limits };
  if (Buffer.byteLength(text) > bounds.maximumTextBytes) {
    yield broken(0, `larger than ${bounds.maximumTextBytes} bytes in all`);
    return;
  }
  for (const chunk of splitDocuments(text)) yield* parseChunk(chunk, bounds);
}

function parseChunk(chunk: YamlChunk, limits: Required<YamlLimits>): readonly YamlDocument[] {
  if (Buffer.byteLength(chunk.text) > limits.maximumBytes)
    return [broken(chunk.linesBefore, `a document larger than ${limits.maximumBytes} bytes`)];
  const lines = new LineCounter();
  const place = (offset: number): YamlPlace => {
    const { line, col } = lines.linePos(offset);
    return { line: chunk.linesBefore + Math.max(1, line), column: Math.max(1, col) };
  };
  try {
    const parsed = parseAllDocuments(chunk.text, {
      ...strictOptions,
      lineCounter: lines,
    } satisfies ParseOptions);
    // What is empty is told apart by the library, not by its type.
    return 'empty' in parsed ? [] : parsed.map((document) => toDocument(document, place, limits));
  } catch (error) {
    // The parser is recursive: what is nested too deeply for its stack ends here.
    return [broken(chunk.linesBefore, `not valid YAML: ${describeError(error)}`)];
  }
}

function toDocument(
  document: Document.Parsed,
  place: (offset: number) => YamlPlace,
  limits: Required<YamlLimits>,
): YamlDocument {
  const wrong = [...document.errors, ...document.warnings].map(({ pos: [at], message }) => ({ at, message }));
  const problems: YamlProblem[] = [...wrong, ...keysTwice(document)]
    .toSorted((a, b) => a.at - b.at)
    .slice(0, mostProblems)
    .map(({ at, message }) => ({ ...place(at), message: `not valid YAML: ${message}` }));
  const start = place(rangeOf(document.contents) ?? document.range[0]);
  let value: unknown;
  if (problems.length === 0) {
    try {
      value = document.toJS({ maxAliasCount: limits.maximumAliases }) ?? undefined;
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

/** Keys that a map has already, each with where it stands again. */
function keysTwice(document: Document.Parsed): readonly { readonly at: number; readonly message: string }[] {
  const found: { at: number; message: string }[] = [];
  visit(document, {
    Map(_, map) {
      const seen = new Set<unknown>();
      for (const { key } of map.items) {
        if (!isScalar(key)) continue;
        if (seen.has(key.value)) found.push({ at: rangeOf(key) ?? 0, message: 'Map keys must be unique' });
        seen.add(key.value);
      }
    },
  });
  return found;
}

/** Stands for a text that could not be read at all. */
function broken(linesBefore: number, message: string): YamlDocument {
  const start = { line: linesBefore + 1, column: 1 };
  return {
    value: undefined,
    problems: [{ ...start, message }],
    start,
    position: () => start,
    keyPosition: () => start,
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
