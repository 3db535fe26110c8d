import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { configJsonSchemas } from '../src/app/config/index.ts';

const [option, ...rest] = process.argv.slice(2);
if ((option !== undefined && option !== '--check') || rest.length > 0) {
  console.error('usage: scripts/gen-schema [--check]');
  process.exit(2);
}

mkdirSync('docs', { recursive: true });
let stale = 0;
for (const [name, schema] of Object.entries(configJsonSchemas())) {
  const file = `docs/${name}`;
  const text = `${JSON.stringify(schema, undefined, 2)}\n`;
  if (option === undefined) writeFileSync(file, text);
  else if (readOrEmpty(file) !== text) {
    console.error(`${file} is not what the schema says; run scripts/gen-schema`);
    stale++;
  }
}
process.exitCode = stale === 0 ? 0 : 1;

function readOrEmpty(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}
