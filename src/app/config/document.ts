import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { type Document, isMap, isNode, isPair, isScalar, LineCounter, parseDocument } from 'yaml';
import { CitadelError, describeError } from '../../kernel/index.ts';
import type { ConfigPath, ConfigProblem } from './problem.ts';

/** A configuration is written by hand; what is larger is something else. */
export const maximumConfigBytes = 1024 * 1024;

/** A parsed YAML document that knows where each of its values stands. */
export interface ConfigDocument {
  readonly source: string;
  readonly value: unknown;
  readonly problems: readonly ConfigProblem[];
  /** Where the value at `path` stands; where it is missing, its nearest parent. */
  position(path: ConfigPath): { readonly line: number; readonly column: number };
  /** Where the key itself stands, for a key that should not be there. */
  keyPosition(parent: ConfigPath, key: string): { readonly line: number; readonly column: number };
}

/**
 * Reads at most maximumConfigBytes.
 * @throws CitadelError FailedPrecondition or InvalidArgument, naming the file
 */
export function readConfigFile(file: string): string {
  let descriptor: number;
  try {
    descriptor = openSync(file, 'r');
  } catch (error) {
    throw unreadable(file, error);
  }
  try {
    if (!fstatSync(descriptor).isFile())
      throw new CitadelError('InvalidArgument', `${file} is not a regular file`);
    const buffer = Buffer.alloc(maximumConfigBytes + 1);
    let length = 0;
    for (;;) {
      const count = readSync(descriptor, buffer, length, buffer.length - length, null);
      length += count;
      if (count === 0) break;
    }
    if (length > maximumConfigBytes)
      throw new CitadelError('InvalidArgument', `${file} is larger than ${maximumConfigBytes} bytes`);
    return new TextDecoder('utf-8', { fatal: true }).decode(buffer.subarray(0, length));
  } catch (error) {
    throw error instanceof TypeError
      ? new CitadelError('InvalidArgument', `${file} is not UTF-8 text`, { cause: error })
      : error;
  } finally {
    closeSync(descriptor);
  }
}

function unreadable(file: string, error: unknown): CitadelError {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  if (code === 'ENOENT')
    return new CitadelError('FailedPrecondition', `no configuration file ${file}; name one with --config`, {
      cause: error,
    });
  if (code === 'EACCES' || code === 'EPERM')
    return new CitadelError('FailedPrecondition', `may not read ${file}; give this user read permission`, {
      cause: error,
    });
  return new CitadelError('InvalidArgument', `cannot read ${file}: ${describeError(error)}`, {
    cause: error,
  });
}

export function parseConfigDocument(text: string, source: string): ConfigDocument {
  const lines = new LineCounter();
  const document = parseDocument(text, {
    lineCounter: lines,
    prettyErrors: false,
    uniqueKeys: true,
    stringKeys: true,
    merge: false,
    version: '1.2',
  });
  const place = (offset: number) => {
    const { line, col } = lines.linePos(offset);
    return { line: Math.max(1, line), column: Math.max(1, col) };
  };
  const problems: ConfigProblem[] = [...document.errors, ...document.warnings].map((error) => ({
    source,
    ...place(error.pos[0]),
    path: '',
    message: `not valid YAML: ${error.message}`,
  }));
  let value: unknown;
  if (problems.length === 0) {
    try {
      value = document.toJS({ maxAliasCount: 20 }) ?? {};
    } catch (error) {
      problems.push({ source, ...place(0), path: '', message: `not valid YAML: ${describeError(error)}` });
    }
  }
  return {
    source,
    value,
    problems,
    position: (path) => place(offsetOf(document, path)),
    keyPosition: (parent, key) => place(keyOffset(document, parent, key)),
  };
}

function offsetOf(document: Document.Parsed, path: ConfigPath): number {
  for (let length = path.length; length > 0; length--) {
    const range = rangeOf(document.getIn(path.slice(0, length), true));
    // What is missing is best shown at its parent's key: that is the line to edit.
    if (range !== undefined)
      return length === path.length
        ? range
        : keyOffset(document, path.slice(0, length - 1), path[length - 1]);
  }
  return rangeOf(document.contents) ?? 0;
}

function keyOffset(document: Document.Parsed, parent: ConfigPath, key: string | number | undefined): number {
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
