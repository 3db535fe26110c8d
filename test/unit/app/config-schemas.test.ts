import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { configJsonSchemas } from '../../../src/app/config/index.ts';

describe('the JSON Schemas of docs', () => {
  it.each(Object.entries(configJsonSchemas()))('%s is what scripts/gen-schema writes', (name, schema) => {
    const text = readFileSync(join(import.meta.dirname, '../../../docs', name), 'utf8');
    expect(JSON.parse(text)).toEqual(JSON.parse(JSON.stringify(schema)));
  });
});
