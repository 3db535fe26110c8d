// Adds up a test run: `summary.ts DIRECTORY` reads the statuses of checks (NAME.status) and Vitest's JSON reports
// (NAME.json beside NAME.exit, Vitest's exit code), prints what failed and was skipped, and as the last line
// `N passed, N failed`. Exits 1 when something failed or nothing ran.
import { readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import process from 'node:process';
import { addUp, type Outcome, outcomeOfReport } from './report.ts';

const directory = process.argv[2] ?? '.';
const read = (name: string) => readFileSync(join(directory, name), 'utf8').trim();

const outcomes = readdirSync(directory).flatMap((file): Outcome[] => {
  const name = basename(file).replace(/\.\w+$/, '');
  if (file.endsWith('.status')) {
    const passed = read(file) === '0';
    return [{ passed: passed ? 1 : 0, failures: passed ? [] : [{ name, message: '' }], skipped: [] }];
  }
  if (!file.endsWith('.exit')) return [];
  return [outcomeOfReport(name, readIfThere(`${name}.json`), read(file) === '0', process.cwd())];
});

function readIfThere(name: string): string | undefined {
  return readdirSync(directory).includes(name) ? read(name) : undefined;
}

const { passed, failures, skipped } = addUp(outcomes);
if (skipped.length > 0)
  console.log(`\nSkipped ${skipped.length}:\n${skipped.map((name) => `  ${name}`).join('\n')}`);
if (failures.length > 0) {
  console.log(`\nFailed ${failures.length}:`);
  for (const { name, message } of failures) {
    console.log(`  ${name}`);
    if (message !== '') console.log(message.replace(/^/gm, '      '));
  }
}
console.log(`\n${passed} passed, ${failures.length} failed`);
process.exitCode = failures.length > 0 || passed === 0 ? 1 : 0;
