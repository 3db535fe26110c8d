import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { moduleReferences } from '../architecture/index.ts';

const folder = join(import.meta.dirname, '../oracle/generate');

/** What both of them used would be wrong on both sides, and no comparison would find it. */
test('the generator of policies and requests shares no code with what is compared: of src it knows types alone', () => {
  const files = readdirSync(folder);
  expect(files.length).toBeGreaterThan(5);
  const strangers = files.flatMap((file) => {
    const source = readFileSync(join(folder, file), 'utf8');
    const lines = source.split('\n');
    return moduleReferences(source).flatMap(({ specifier, line }) => {
      const own = specifier?.startsWith('./') === true && files.includes(specifier.slice(2));
      const type =
        specifier === '../../../src/domain/policy/index.ts' && lines[line - 1]?.startsWith('import type ');
      return own || type === true ? [] : [`${file}:${line} ${specifier}`];
    });
  });
  expect(strangers).toEqual([]);
});
