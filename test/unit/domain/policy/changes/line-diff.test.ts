import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type DiffLine, diffLines } from '../../../../../src/domain/policy/index.ts';

const marks = { same: ' ', removed: '-', added: '+' } as const;
const show = (before: string, after: string) =>
  diffLines(before, after).map(({ kind, text }) => `${marks[kind]}${text}`);

describe('the lines in which two texts differ', () => {
  it.each([
    ['', '', []],
    ['', 'a\n', ['+a']],
    ['a\n', '', ['-a']],
    ['a\nb\n', 'a\nb\n', [' a', ' b']],
    ['a\nb\nc\n', 'a\nx\nc\n', [' a', '-b', '+x', ' c']],
    ['a\nb\n', 'a\nb', [' a', ' b']],
    ['a\na\n', 'a\na\na\n', [' a', ' a', '+a']],
    ['a\nb\nc\nd\n', 'b\nc\ne\nd\n', ['-a', ' b', ' c', '+e', ' d']],
  ])('of %j and %j are %j', (before, after, lines) => {
    expect(show(before, after)).toEqual(lines);
  });

  const texts = fc.array(fc.constantFrom('a', 'b', 'c', 'd'), { maxLength: 12 });
  const side = (lines: readonly DiffLine[], not: DiffLine['kind']) =>
    lines.filter(({ kind }) => kind !== not).map(({ text }) => text);

  it('make each text again, and are as few as can be', () => {
    fc.assert(
      fc.property(texts, texts, (before, after) => {
        const lines = diffLines(before.join('\n'), after.join('\n'));
        expect(side(lines, 'added')).toEqual(before);
        expect(side(lines, 'removed')).toEqual(after);
        const common = lines.filter(({ kind }) => kind === 'same').length;
        expect(common).toBe(longestCommon(before, after));
      }),
    );
  });

  it('are all, where two long texts share nothing', () => {
    const text = (name: string) => Array.from({ length: 3_000 }, (_, at) => `${name}${at}`).join('\n');
    const lines = diffLines(text('a'), text('b'));
    expect(lines.filter(({ kind }) => kind === 'removed')).toHaveLength(3_000);
    expect(lines.filter(({ kind }) => kind === 'added')).toHaveLength(3_000);
  });
});

/** The textbook's table: another way to the same number. */
function longestCommon(a: readonly string[], b: readonly string[]): number {
  let row = b.map(() => 0);
  for (const left of a) {
    const next: number[] = [];
    for (const [at, right] of b.entries())
      next.push(left === right ? (row[at - 1] ?? 0) + 1 : Math.max(row[at] ?? 0, next[at - 1] ?? 0));
    row = next;
  }
  return row.at(-1) ?? 0;
}
