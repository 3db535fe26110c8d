import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readTextFile } from '../../../src/kernel/index.ts';
import { type TemporaryDirectory, temporaryDirectory } from '../../parts/index.ts';

let directory: TemporaryDirectory;
beforeAll(async () => {
  directory = await temporaryDirectory();
});
afterAll(() => directory[Symbol.asyncDispose]());

function write(name: string, content: string | Uint8Array): string {
  const file = join(directory.path, name);
  writeFileSync(file, content);
  return file;
}

const read = (file: string) => readTextFile(file, 'note', 8);

describe('readTextFile', () => {
  it('gives the whole text, up to the limit', () => {
    expect(read(write('full', 'éé1234'))).toBe('éé1234');
    expect(read(write('empty', ''))).toBe('');
  });

  it('refuses what is larger, without end even', () => {
    expect(() => read(write('larger', '123456789'))).toThrow(/^the note \S+ is larger than 8 bytes$/);
    expect(() => read('/dev/zero')).toThrow(/larger than 8 bytes/);
  });

  it('refuses what is not UTF-8, in place of replacing it', () => {
    expect(() => read(write('latin1', Buffer.from('caf\xe9', 'latin1')))).toThrow(/is not UTF-8 text$/);
    expect(() => read(write('utf16', Buffer.from('\ufeffab', 'utf16le')))).toThrow(/is not UTF-8 text$/);
  });

  it('says what it is in place of a file', () => {
    expect(() => read(join(directory.path, 'none'))).toThrow(/^the note \S+none does not exist$/);
    expect(() => read(directory.path)).toThrow(/is a directory; name a file$/);
    expect(() => read(join(write('file', ''), 'below'))).toThrow(
      /does not exist: a part of its path is no directory/,
    );
  });
});
