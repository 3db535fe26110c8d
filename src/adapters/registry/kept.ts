import { keepLastGood, readWrittenObject, type WrittenObject } from '../../domain/mesh/index.ts';
import { CitadelError } from '../../kernel/index.ts';
import type { FileState } from './file-states.ts';

/** Of each file by name, the objects that it holds, as its author wrote them. */
export function keptFiles(files: ReadonlyMap<string, FileState>): unknown {
  return [...files].map(([name, { objects }]) => [name, [...objects.values()].map(({ written }) => written)]);
}

/** Reads again what was kept. @throws CitadelError DataLoss where the content is no such list */
export function readKeptFiles(content: unknown): ReadonlyMap<string, FileState> {
  if (!Array.isArray(content)) throw notKept();
  return new Map(
    content.map((entry: unknown) => {
      const [name, written] = Array.isArray(entry) ? (entry as readonly unknown[]) : [];
      if (typeof name !== 'string' || !Array.isArray(written)) throw notKept();
      const read = written.flatMap((each) => readWrittenObject(writtenObject(each), name) ?? []);
      return [name, { text: null, ...keepLastGood(read, new Map()) }] as const;
    }),
  );
}

function writtenObject(value: unknown): WrittenObject {
  if (typeof value !== 'object' || value === null || !('line' in value) || typeof value.line !== 'number')
    throw notKept();
  return { value: 'value' in value ? value.value : undefined, line: value.line };
}

function notKept(): CitadelError {
  return new CitadelError('DataLoss', 'it is no list of files');
}
