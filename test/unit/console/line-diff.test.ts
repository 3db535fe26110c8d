import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { diffLines } from '../../../src/console/line-diff.ts';

const shown = (before: string, after: string) =>
  diffLines(before, after).map(
    ({ kind, text }) => `${{ same: ' ', added: '+', removed: '-', skipped: '…' }[kind]}${text}`,
  );

describe('diffLines', () => {
  it.each([
    ['nothing from nothing', '', '', []],
    ['all is new', '', 'a\nb\n', ['+a', '+b']],
    ['all is gone', 'a\n', '', ['-a']],
    ['one in the middle', 'a\nb\nc\n', 'a\nx\nc\n', [' a', '-b', '+x', ' c']],
    ['what is far is left out', '1\n2\n3\n4\n5\n', '1\n2\n3\n4\nx\n', ['…', ' 2', ' 3', ' 4', '-5', '+x']],
    ['no end of the last line is no change', 'a', 'a\n', ['…']],
  ])('%s', (_, before, after, lines) => {
    expect(shown(before, after)).toEqual(lines);
  });

  it('says all that changes, and nothing that does not', () => {
    const lines = fc.array(fc.constantFrom('a', 'b', 'c'), { maxLength: 8 });
    fc.assert(
      fc.property(lines, lines, (before, after) => {
        const diff = diffLines(before.join('\n'), after.join('\n'));
        const changed = (kind: string) => diff.filter((line) => line.kind === kind).length;
        expect(changed('added') - changed('removed')).toBe(after.length - before.length);
        // The change with the fewest lines: those that stay are a longest common subsequence.
        expect(changed('added') + changed('removed')).toBe(
          before.length + after.length - 2 * common(before, after),
        );
      }),
    );
  });

  it('does not compare what is too long to compare', () => {
    const many = (word: string) => Array.from({ length: 2_000 }, (_, index) => `${word}${index}`).join('\n');
    const diff = diffLines(many('a'), many('b'));
    expect(diff.filter(({ kind }) => kind === 'removed')).toHaveLength(2_000);
    expect(diff.filter(({ kind }) => kind === 'added')).toHaveLength(2_000);
  });
});

function common([a, ...as]: readonly string[], [b, ...bs]: readonly string[]): number {
  if (a === undefined || b === undefined) return 0;
  if (a === b) return 1 + common(as, bs);
  return Math.max(common(as, [b, ...bs]), common([a, ...as], bs));
}
