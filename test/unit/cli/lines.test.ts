import { expect, test } from 'vitest';
import { linesOf } from '../../../src/cli/lines.ts';

async function lines(
  chunks: readonly string[],
  line = 100,
  total = 1000,
  longest = 100,
): Promise<readonly string[]> {
  async function* bytes() {
    for (const chunk of chunks) yield Buffer.from(chunk, 'latin1');
  }
  const all: string[] = [];
  for await (const each of linesOf(bytes(), 'it', { line, longest, total })) all.push(each);
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

test('a line that is too long is cut where that can be seen, and takes no other with it', async () => {
  expect(await lines(['aaaa', 'bbbb', 'cc\nd'], 7)).toStrictEqual(['aaaabbbb', 'd']);
  expect(await lines(['aaaaaaaaa\nd\n'], 7)).toStrictEqual(['aaaaaaaa', 'd']);
  expect(await lines(['aaaaaaa\nd\n'], 7)).toStrictEqual(['aaaaaaa', 'd']);
});

test('what has no ends of lines is not made of lines', async () => {
  await expect(lines(['aaaa', 'bbbb', 'c'], 2, 100, 8)).rejects.toThrow(
    'it has a line of more than 8 characters',
  );
  expect(await lines(['aaaa', 'bbbb', '\nc'], 2, 100, 8)).toStrictEqual(['aaa', 'c']);
});

test('all together may not be too long', async () => {
  await expect(lines(['a\n', 'b\n', 'c\n'], 7, 5)).rejects.toThrow('it is larger than 5 bytes');
});
