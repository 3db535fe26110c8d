import {
  chmodSync,
  readdirSync,
  readFileSync,
  renameSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { createArchive } from '../../../src/adapters/archive/index.ts';
import { temporaryDirectory } from '../../parts/index.ts';

const at = new Date('2030-01-01T00:00:00Z');
const kept = { content: [{ a: 'ä' }, null], at };

async function open(largest = 10_000) {
  const directory = await temporaryDirectory('archive');
  const home = directory.join('kept');
  return {
    home,
    archive: createArchive({ directory: home, what: 'test', largest }),
    another: (what: string) => createArchive({ directory: home, what, largest }),
    file: () => join(home, readdirSync(home)[0] ?? ''),
    [Symbol.asyncDispose]: () => directory[Symbol.asyncDispose](),
  };
}

describe('an archive', () => {
  test('gives what was saved last, to whoever asks by the same id, and is closed to others', async () => {
    await using place = await open();
    expect(await place.archive.load('a/../../x')).toBeUndefined();
    await place.archive.save('a/../../x', { content: 1, at: new Date(0) });
    await place.archive.save('a/../../x', kept);
    expect(await place.another('test').load('a/../../x')).toEqual(kept);
    expect(await place.archive.load('b')).toBeUndefined();
    expect(readdirSync(place.home)).toEqual([expect.stringMatching(/^[0-9a-f]{64}\.json$/)]);
    expect(statSync(place.home).mode & 0o777).toBe(0o700);
    expect(statSync(place.file()).mode & 0o777).toBe(0o600);
  });

  test('keeps what was there when the next one is too large', async () => {
    await using place = await open(500);
    await place.archive.save('a', kept);
    await expect(place.archive.save('a', { content: 'x'.repeat(500), at })).rejects.toMatchObject({
      code: 'ResourceExhausted',
    });
    expect(await place.archive.load('a')).toEqual(kept);
  });

  test('is not held up by what a crash left half written', async () => {
    await using place = await open();
    await place.archive.save('a', kept);
    writeFileSync(`${place.file()}.new`, '{"half');
    expect(await place.archive.load('a')).toEqual(kept);
    await place.archive.save('a', { ...kept, content: 2 });
    expect(await place.archive.load('a')).toEqual({ content: 2, at });
  });

  test.each<[string, (file: string) => void, string]>([
    ['a changed content', (file) => edit(file, (text) => text.replace('ä', 'b')), 'damaged'],
    ['a changed time', (file) => edit(file, (text) => text.replace('2030', '2031')), 'damaged'],
    ['a file that ends early', (file) => edit(file, (text) => text.slice(0, -1)), 'damaged'],
    ['a file that is empty', (file) => edit(file, () => ''), 'damaged'],
    ['another’s line', (file) => edit(file, (text) => `{}\n${text}`), 'damaged'],
    ['another version', (file) => edit(file, (text) => text.replace('archive/1', 'archive/2')), 'version'],
    ['another id', (file) => edit(file, (text) => text.replace('"id":"a"', '"id":"b"')), 'another one'],
    ['a file that others can write', (file) => chmodSync(file, 0o620), 'others can write it'],
    ['a link', linked, 'cannot be read (ELOOP)'],
    ['a file that is too large', (file) => writeFileSync(file, 'x'.repeat(10_001)), 'larger than 10000'],
  ])('does not believe %s', async (_what, spoil, why) => {
    await using place = await open();
    await place.archive.save('a', kept);
    spoil(place.file());
    await expect(place.archive.load('a')).rejects.toMatchObject({
      code: 'DataLoss',
      message: expect.stringContaining(why),
    });
  });

  test('does not take one kind of content for another', async () => {
    await using place = await open();
    await place.archive.save('a', kept);
    await expect(place.another('key set').load('a')).rejects.toMatchObject({ code: 'DataLoss' });
  });
});

function edit(file: string, change: (text: string) => string): void {
  writeFileSync(file, change(readFileSync(file, 'utf8')));
}

function linked(file: string): void {
  renameSync(file, `${file}.real`);
  symlinkSync(`${file}.real`, file);
}
