import { statSync } from 'node:fs';
import { CitadelError, readTextFile } from '../../kernel/index.ts';
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

/** @throws CitadelError FailedPrecondition or InvalidArgument, naming the file */
export function readConfigFile(file: string): string {
  // A pipe without a writer would be waited for without end.
  const kind = statSync(file, { throwIfNoEntry: false });
  if (kind && !kind.isFile()) throw new CitadelError('InvalidArgument', `${file} is not a regular file`);
  return readTextFile(file, 'configuration file', maximumConfigBytes);
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
