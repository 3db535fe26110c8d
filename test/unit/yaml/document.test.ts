import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseYaml } from '../../../src/yaml/index.ts';

const valuesOf = (text: string) => parseYaml(text).map(({ value }) => value);

describe('parseYaml', () => {
  it.each<[string, string, readonly unknown[]]>([
    ['an empty text', '', []],
    ['a text of comments', '# nothing\n', []],
    ['one document', 'a: 1\n', [{ a: 1 }]],
    ['JSON', '{"a": [1, "b"]}', [{ a: [1, 'b'] }]],
    ['a document behind its marker', '# c\n---\na: 1\n', [{ a: 1 }]],
    ['several documents', 'a: 1\n---\nb: 2\n--- # three\nc: 3\n', [{ a: 1 }, { b: 2 }, { c: 3 }]],
    ['an empty document between', 'a: 1\n---\n---\nb: 2\n', [{ a: 1 }, undefined, { b: 2 }]],
    ['a document that ends by itself', 'a: 1\n...\n---\nb: 2\n', [{ a: 1 }, { b: 2 }]],
    ['dashes within a block scalar', 'a: |\n  x\n  --- y\nb: 2\n', [{ a: 'x\n--- y\n', b: 2 }]],
    ['dashes that begin a word', 'a: 1\n---b: 2\n', [{ a: 1, '---b': 2 }]],
    ['line ends of Windows', 'a: 1\r\n---\r\nb: 2\r\n', [{ a: 1 }, { b: 2 }]],
    ['a directive', '%YAML 1.2\n---\na: 1\n', [{ a: 1 }]],
    ['numbers as keys, which stay text', '8080: x\n', [{ 8080: 'x' }]],
    ['yes and on, which YAML 1.2 takes as text', 'a: [yes, on, true]\n', [{ a: ['yes', 'on', true] }]],
  ])('reads %s', (_, text, expected) => {
    expect(valuesOf(text)).toEqual(expected);
  });

  it('knows the place of each value and key, in every document', () => {
    const [, second] = parseYaml('first: 1\n---\n# c\nrules:\n  - to: [x, y]\n    wrong: 2\n');
    expect(second?.start).toEqual({ line: 4, column: 1 });
    expect(second?.position(['rules', 0, 'to', 1])).toEqual({ line: 5, column: 13 });
    expect(second?.keyPosition(['rules', 0], 'wrong')).toEqual({ line: 6, column: 5 });
    // What is missing stands where its parent's key does.
    expect(second?.position(['rules', 0, 'to', 7, 'x'])).toEqual({ line: 5, column: 5 });
  });

  it.each([
    ['a key twice', 'a: 1\na: 2\n', 2],
    ['a merge key, which is a key like others', 'x: &x {a: 1}\ny:\n  <<: *x\n', undefined],
    ['an unknown anchor', 'a: *none\n', 1],
    ['a list as a key', '? [a]\n: 1\n', 1],
    ['an unknown tag', 'a: !!js/function x\n', 1],
  ])('is strict about %s', (_, text, line) => {
    const [document] = parseYaml(text);
    expect(document?.problems.map((problem) => problem.line)).toEqual(line === undefined ? [] : [line]);
  });

  it('a broken document leaves the others whole, and is found where it stands', () => {
    const documents = parseYaml('a: 1\n---\nb: [1\n---\nc: 3\n');
    expect(documents.map(({ value }) => value)).toEqual([{ a: 1 }, undefined, { c: 3 }]);
    expect(documents[1]?.problems[0]?.line).toBeGreaterThanOrEqual(3);
  });

  it('a document above the limit is refused without being parsed, the others are read', () => {
    const text = `a: 1\n---\nb: ${'x'.repeat(100)}\n---\nc: 3\n`;
    const documents = parseYaml(text, { maximumBytes: 50 });
    expect(documents.map(({ value }) => value)).toEqual([{ a: 1 }, undefined, { c: 3 }]);
    expect(documents[1]?.problems).toEqual([
      { line: 2, column: 1, message: 'a document larger than 50 bytes' },
    ]);
    expect(documents[1]?.position(['b'])).toEqual({ line: 2, column: 1 });
    expect(parseYaml(text, { maximumTextBytes: 50 })[0]?.problems[0]?.message).toContain('in all');
  });

  it('the limit counts bytes, not characters', () => {
    expect(parseYaml('a: äöü\n', { maximumBytes: 10 }).at(0)?.value).toEqual({ a: 'äöü' });
    expect(parseYaml('a: äöü\n', { maximumBytes: 9 }).at(0)?.value).toBeUndefined();
  });

  it('a bomb of aliases and a text nested too deeply are problems', () => {
    const bomb = `a: &a [x, x]\n${Array.from('bcdefghijk')
      .map((name, at) => `${name}: &${name} [${`*${'abcdefghijk'[at]}, `.repeat(9)}]`)
      .join('\n')}\n`;
    expect(parseYaml(bomb)[0]?.problems[0]?.message).toContain('alias');
    for (const depth of [1000, 100_000]) {
      const [document] = parseYaml('['.repeat(depth) + ']'.repeat(depth));
      expect(document).toBeDefined();
      if (depth > 1000) expect(document?.problems).not.toEqual([]);
    }
  });

  it('never throws, and always gives places within the text', () => {
    const piece = fc.constantFrom(
      '---',
      '...',
      '\n',
      'a',
      ': ',
      '- ',
      '[',
      ']',
      '{',
      '}',
      '"',
      '|',
      '&x ',
      '*x',
      '#',
      '%',
      '\t',
      '\r',
      '<<',
      ' ',
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 40 }), (pieces) => {
        const text = pieces.join('');
        const count = text.split('\n').length;
        for (const { problems, start } of parseYaml(text))
          for (const { line, column } of [start, ...problems]) {
            expect(line).toBeGreaterThanOrEqual(1);
            expect(line).toBeLessThanOrEqual(count);
            expect(column).toBeGreaterThanOrEqual(1);
          }
      }),
      { numRuns: 1000 },
    );
  });
});
