import { mkdirSync } from 'node:fs';
import { configJsonSchemas } from '../src/app/config/index.ts';
import { policyFilesJsonSchema } from '../src/domain/policy/index.ts';
import { writeOrCheck } from './parts/generated.ts';

mkdirSync('docs', { recursive: true });
writeOrCheck(
  'scripts/gen-schema',
  Object.entries({ ...configJsonSchemas(), 'policy.schema.json': policyFilesJsonSchema() }).map(
    ([name, schema]) => [`docs/${name}`, `${JSON.stringify(schema, undefined, 2)}\n`],
  ),
  // The formatter has its own line breaks.
  (text) => JSON.stringify(JSON.parse(text)),
);
