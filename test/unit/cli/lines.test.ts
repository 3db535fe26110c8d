import { expect, test } from 'vitest';
import { linesOf } from '../../../src/cli/lines.ts';

async function lines(chunks: readonly string[], line = 100, total = 1000): Promise<readonly string[]> {
  async function* bytes() {
    for (const chunk of chunks) yield Buffer.from(chunk, 'latin1');
  }
  const all: string[] = [];
  for await (const each of linesOf(bytes(), 'it', { line, total })) all.push(each);
  return all;
}

test.each<[readonly string[], readonly string[]]>([
  [[], []],
  [['a\nb'], ['a', 'b']],
  [['a\n'], ['a']],
  [
    ['a', 'b', '\n', '\nc'],
    ['ab', '', 'c'],
  ],
  // A letter of two bytes, in two parts.
  [['\xc3', '\xa9\n'], ['é']],
])('%j is the lines %j', async (chunks, expected) => {
  expect(await lines(chunks)).toStrictEqual(expected);
});

test('neither a line nor all may be too long', async () => {
  await expect(lines(['aaaa', 'bbbb'], 7)).rejects.toThrow('it has a line of more than 7 characters');
  await expect(lines(['aaaaaaaa\n'], 7)).rejects.toThrow('it has a line of more than 7 characters');
  await expect(lines(['a\n', 'b\n', 'c\n'], 7, 5)).rejects.toThrow('it is larger than 5 bytes');
});
