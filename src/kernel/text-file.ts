import { closeSync, openSync, readSync } from 'node:fs';
import { CitadelError, describeError } from './errors.ts';

/** In place of a path: a path such as /dev/stdin cannot be opened where it is a socket. */
export const standardInput = Symbol('standard input');

/**
 * The text of a file that somebody named, whole or not at all.
 * @param what it is, as in `configuration file`
 * @param limit bytes; no more is ever held
 * @throws CitadelError FailedPrecondition when there is none to read, InvalidArgument when it is no such text
 */
export function readTextFile(file: string | typeof standardInput, what: string, limit: number): string {
  const name = file === standardInput ? `the ${what} on standard input` : `the ${what} ${file}`;
  const bytes = readBytes(file, name, limit);
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new CitadelError('InvalidArgument', `${name} is not UTF-8 text`, { cause });
  }
}

function readBytes(file: string | typeof standardInput, name: string, limit: number): Uint8Array {
  let opened: number | undefined;
  try {
    const descriptor = file === standardInput ? 0 : (opened = openSync(file, 'r'));
    const buffer = Buffer.alloc(limit + 1);
    let length = 0;
    for (;;) {
      const count = readSync(descriptor, buffer, length, buffer.length - length, null);
      length += count;
      if (length > limit) throw new CitadelError('InvalidArgument', `${name} is larger than ${limit} bytes`);
      if (count === 0) return buffer.subarray(0, length);
    }
  } catch (error) {
    throw error instanceof CitadelError ? error : unreadable(name, error);
  } finally {
    if (opened !== undefined) closeSync(opened);
  }
}

const faults: Readonly<Record<string, string>> = {
  ENOENT: 'does not exist',
  EACCES: 'may not be read; give this user read permission',
  EPERM: 'may not be read; give this user read permission',
  ENOTDIR: 'does not exist: a part of its path is no directory',
  EISDIR: 'is a directory; name a file',
};

/** @param name as the beginning of a sentence */
export function unreadable(name: string, cause: unknown): CitadelError {
  const code = cause instanceof Error && 'code' in cause ? String(cause.code) : '';
  const fault = faults[code] ?? `cannot be read: ${describeError(cause)}`;
  return new CitadelError('FailedPrecondition', `${name} ${fault}`, { cause });
}
