import { describe, expect, it } from 'vitest';
import { fieldOf } from '../../../src/console/yaml-field.ts';

describe('fieldOf', () => {
  it.each([
    ['a value', ['  namespace: '], 'namespace'],
    ['a quoted one', ['  namespace: "'], 'namespace'],
    ['within a list on the line', ['- source: { principals: ["a", "'], 'principals'],
    [
      'a second field of an object on the line',
      ['- source: { principals: ["a"], namespaces: ["'],
      'namespaces',
    ],
    ['an item', ['  namespaces:', '    - '], 'namespaces'],
    ['an item as far out as its field', ['  namespaces:', '  - '], 'namespaces'],
    ['a later item', ['      namespaces:', '        - a', '        - "'], 'namespaces'],
    ['a field within an item', ['- source:', '    principals:', '      - '], 'principals'],
    ['a key', ['spec:', '  act'], undefined],
    ['the first line', ['- '], undefined],
    ['a line of a million letters', ['x'.repeat(1_000_000)], undefined],
    ['the end of one', [`namespaces: ["${'x'.repeat(1_000_000)}", namespace: `], 'namespace'],
  ])('%s', (_, lines, field) => {
    const before = lines.at(-1) ?? '';
    expect(fieldOf(before, lines.length, (number) => lines[number - 1] ?? '')).toBe(field);
  });
});
