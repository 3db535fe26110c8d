import { describe, expect, it } from 'vitest';
import { cursorAt, writingAt, type YamlPlace } from '../../../src/yaml/index.ts';

/** `|` marks the cursor. */
function marked(text: string): readonly [string, YamlPlace] {
  const at = text.indexOf('|');
  const lines = text.slice(0, at).split('\n');
  return [
    text.slice(0, at) + text.slice(at + 1),
    { line: lines.length, column: (lines.at(-1)?.length ?? 0) + 1 },
  ];
}

const short = (found: ReturnType<typeof cursorAt>) =>
  found && `${found.role} ${found.path.join('.')} ${found.before}|${found.text.slice(found.before.length)}`;

describe('writingAt', () => {
  it.each([
    ['a key that begins', 'spec:\n  action: DENY\n  ru|\n', 'key spec ru|'],
    ['no key yet', 'spec:\n  action: DENY\n  |\n', 'key spec |'],
    ['a key in the midst', 'spec:\n  |\n  action: DENY\n', 'key spec |'],
    ['the first key of all', '|', 'value  |'],
    ['another key of all', 'kind: A\n|', 'key  |'],
    ['what a key holds, one line below', 'a:\n  - b:\n      |\n', 'value a.0.b |'],
    ['a value', 'spec:\n  action: |\n  rules: []\n', 'value spec.action |'],
    ['a value that begins', 'spec:\n  action: DE|NY\n', 'value spec.action DE|NY'],
    ['an item', 'a:\n  - x\n  - |\n', 'value a.1 |'],
    ['an item of a list in brackets', 'a: { b: [x, |] }\n', 'value a.b.1 |'],
    ['an item of a list that nobody has closed', 'a: { b: [x, |\n', 'value a.b.1 |'],
    ['a key in braces', 'a: { b: 1, | }\n', 'key a |'],
    ['a text in quotes', 'a: ["x/|"]\n', 'value a.0 x/|'],
    ['a text whose quotes nobody has closed', 'a: ["x/|\n', 'value a.0 x/|'],
    ['a key of what stands in a list', 'a:\n  - b: 1\n    |\n', 'key a.0 |'],
    ['a document behind another', 'a: 1\n---\nb:\n  c: |\n', 'value b.c |'],
    ['a document behind a broken one', 'a: {{\n---\nb:\n  c: |\n', 'value b.c |'],
    ['a comment', 'a: 1 # x|\n', undefined],
  ])('knows %s', (_, text, expected) => {
    expect(short(writingAt(...marked(text)))).toBe(expected);
  });

  it('tells what stands beside, where the text is, and what is written so far', () => {
    expect(writingAt(...marked('kind: A\nspec:\n  a: 1\n  "b|c": 2\n'))).toMatchObject({
      beside: ['a'],
      quoted: true,
      start: { line: 4, column: 4 },
      end: { line: 4, column: 6 },
      document: { kind: 'A', spec: { a: 1 } },
    });
    // What follows on the next line is a key of its own.
    expect(writingAt(...marked('spec:\n  a: 1\n  |\n  b: 2\n'))?.beside).toEqual(['a', 'b']);
    expect(writingAt(...marked('x: 1\n---\nkind: B\nl: [p, |, q]\n'))).toMatchObject({
      beside: ['p', 'q'],
      document: { kind: 'B' },
    });
  });

  it('is not stopped by what nests too deeply, nor by a place that is not there', () => {
    const deep = '['.repeat(100_000);
    expect(() => writingAt(deep, { line: 1, column: 5 })).not.toThrow();
    expect(cursorAt(`${deep}x`, { line: 1, column: 100_001 })).toBeUndefined();
    expect(writingAt('a: 1\n', { line: 9, column: 1 })).toBeUndefined();
  });
});

describe('cursorAt', () => {
  it.each([
    ['a key', 'spec:\n  ac|tion: DENY\n', 'key spec.action ac|tion'],
    ['a value', 'spec:\n  action: D|ENY\n', 'value spec.action D|ENY'],
    ['an item', 'a: [x, "y|z"]\n', 'value a.1 y|z'],
    ['nothing', 'a: 1\n\n|\n', undefined],
  ])('knows %s', (_, text, expected) => {
    expect(short(cursorAt(...marked(text)))).toBe(expected);
  });
});
