import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { CitadelError, describeError } from '../../kernel/index.ts';
import { maximumYamlBytes, parseYaml, type YamlPositions } from '../../yaml/index.ts';
import type { ConfigProblem } from './problem.ts';

/** A configuration is written by hand; what is larger is something else. */
export const maximumConfigBytes = maximumYamlBytes;

/** A parsed YAML document that knows where each of its values stands. */
export interface ConfigDocument extends YamlPositions {
  readonly source: string;
  readonly value: unknown;
  readonly problems: readonly ConfigProblem[];
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
  const [document, second] = parseYaml(text);
  const start = { line: 1, column: 1 };
  const problems: ConfigProblem[] = (document?.problems ?? []).map((problem) => ({
    source,
    path: '',
    ...problem,
  }));
  if (second)
    problems.push({
      source,
      ...second.start,
      path: '',
      message: 'a second document begins here; a configuration is one document',
    });
  return {
    source,
    value: document?.value ?? {},
    problems,
    position: (path) => document?.position(path) ?? start,
    keyPosition: (parent, key) => document?.keyPosition(parent, key) ?? start,
  };
}
