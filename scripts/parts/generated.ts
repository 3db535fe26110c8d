import { readFileSync, writeFileSync } from 'node:fs';

/** What a generator makes: the text of each file. */
type Generated = Iterable<readonly [file: string, text: string]>;

/**
 * Writes what a generator makes, or with `--check`, its only option, names what is not current and fails.
 * @param canonical what two texts have in common that say the same
 */
export function writeOrCheck(script: string, generated: Generated, canonical = (text: string) => text): void {
  const [option, ...rest] = process.argv.slice(2);
  if ((option !== undefined && option !== '--check') || rest.length > 0) {
    console.error(`usage: ${script} [--check]`);
    process.exitCode = 2;
    return;
  }
  for (const [file, text] of generated) {
    if (option === undefined) {
      writeFileSync(file, text);
    } else if (!isCurrent(file, text, canonical)) {
      console.error(`${file} is not what the schema says; run ${script}`);
      process.exitCode = 1;
    }
  }
}

function isCurrent(file: string, text: string, canonical: (text: string) => string): boolean {
  try {
    return canonical(readFileSync(file, 'utf8')) === canonical(text);
  } catch {
    return false;
  }
}
