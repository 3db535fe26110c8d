import { describe, expect, test, vi } from 'vitest';
import { Budget } from '../../../../../src/domain/policy/exact/budget.ts';
import { Atoms } from '../../../../../src/domain/policy/exact/text/atoms.ts';
import { methods } from '../../../../../src/domain/policy/exact/text/domain.ts';
import { Languages } from '../../../../../src/domain/policy/exact/text/languages.ts';
import { patternRow } from '../../../../../src/domain/policy/exact/text/pieces.ts';
import { type Found, type Given, TextSearch } from '../../../../../src/domain/policy/exact/text/search.ts';

const patterns = ['A*', '*B', 'AB', '*AB*', 'ABB*', '*', 'B', '*BA'];

function setUp(steps = 1e6) {
  const languages = new Languages();
  const numbers = patterns.map((pattern) => languages.add([patternRow(pattern)]));
  const budget = new Budget(steps);
  budget.grant(steps);
  const search = new TextSearch(languages, methods, budget);
  return { numbers, search, atoms: new Atoms(search, budget) };
}

/** Each subset of some languages, asked within and outside of others. */
function questions(numbers: readonly number[]): readonly (readonly [readonly number[], Given])[] {
  return Array.from({ length: 3 ** 4 }, (_, at) => {
    const role = (place: number) => Math.floor(at / 3 ** place) % 3;
    const of = (wanted: number) => numbers.filter((_number, place) => place < 4 && role(place) === wanted);
    return [numbers.slice(4, 4 + (at % 5)), { within: of(1), outside: of(2) }] as const;
  });
}

function ways(found: readonly Found[]): readonly string[] {
  return found.map(({ languages }) => [...languages].join(' ')).toSorted();
}

describe('all ways in which strings can be in languages', () => {
  test('answer each question about fewer of them as a search does, by as short a string', () => {
    const { numbers, search, atoms } = setUp();
    atoms.expect(numbers);
    for (const [asked, given] of questions(numbers)) {
      const [found, searched] = [atoms.find(asked, given), search.find(asked, given)];
      expect(ways(found), JSON.stringify([asked, given])).toEqual(ways(searched));
      for (const { languages, codes } of found) {
        const own = search.languagesOf(codes, numbers);
        expect(own).toBeDefined();
        expect(asked.filter((each) => own?.has(each))).toEqual([...languages]);
        expect(given.within.every((each) => own?.has(each))).toBe(true);
        expect(given.outside.some((each) => own?.has(each))).toBe(false);
        const alike = searched.find((each) => ways([each])[0] === ways([{ languages, codes }])[0]);
        expect(codes.length).toBe(alike?.codes.length);
      }
    }
  });

  test('are searched once for all questions but the first few', () => {
    const { numbers, search, atoms } = setUp();
    atoms.expect(numbers);
    const find = vi.spyOn(search, 'find');
    for (const [asked, given] of questions(numbers)) atoms.find(asked, given);
    expect(find.mock.calls.length).toBeLessThan(6);
  });

  test('are not known of languages that nobody expected', () => {
    const { numbers, search, atoms } = setUp();
    atoms.expect(numbers.slice(0, 4));
    for (const [asked, given] of questions(numbers))
      expect(ways(atoms.find(asked, given))).toEqual(ways(search.find(asked, given)));
  });
});

test('work that takes more than is allowed leaves the rest to another', () => {
  const budget = new Budget(1000);
  budget.grant(1000);
  expect(
    budget.attempt(100, () => {
      budget.spend(101);
      return 'done';
    }),
  ).toBeUndefined();
  expect(
    budget.attempt(100, () => {
      budget.spend(100);
      return 'done';
    }),
  ).toBe('done');
  budget.spend(800);
  expect(() => budget.spend(1)).toThrow('more steps');
});
