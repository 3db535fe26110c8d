import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { moduleReferences } from '../architecture/index.ts';

/** The only ones that ask the engine; what they say it said, the others judge. */
const asking = ['check.ts', 'witnesses.test.ts'];
const engine = 'src/domain/policy/exact/';

function references(folder: string): readonly (readonly [file: string, specifier: string, line: string])[] {
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((each) =>
    each.endsWith('.ts'),
  );
  expect(files.length).toBeGreaterThan(3);
  return files.flatMap((file) => {
    const source = readFileSync(join(folder, file), 'utf8');
    const lines = source.split('\n');
    return moduleReferences(source).map(
      ({ specifier = '', line }) => [file, specifier, lines[line - 1] ?? ''] as const,
    );
  });
}

/** What both of them used would be wrong on both sides, and nothing would tell. */
test('the checker shares no code with the engine: it knows types of it alone', () => {
  const strangers = references(import.meta.dirname).flatMap(([file, specifier, line]) =>
    specifier.includes(engine) && !asking.includes(file) && !line.startsWith('import type ')
      ? [`${file}: ${specifier}`]
      : [],
  );
  expect(strangers).toEqual([]);
});

test('what it decides by knows nothing of the engine', () => {
  const policy = join(import.meta.dirname, '../../src/domain/policy');
  const deciding = references(join(policy, 'decide')).filter(([, specifier]) => specifier.includes('exact'));
  expect(deciding).toEqual([]);
  for (const file of ['select.ts', 'holding.ts', 'model.ts'])
    expect(
      moduleReferences(readFileSync(join(policy, file), 'utf8')).map(({ specifier }) => specifier),
    ).not.toContain('./exact/index.ts');
});
