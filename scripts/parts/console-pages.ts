import { createHash } from 'node:crypto';
import { cpSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { build } from 'esbuild';

const root = join(import.meta.dirname, '../..');
const source = join(root, 'src/console');
const target = join(root, 'dist/console');
const stamp = join(target, '.built-from');
/** What the pages are made of beside src/console: the libraries, by their versions. */
const inputs = [join(root, 'package-lock.json'), join(root, 'src/wire/console.ts'), import.meta.filename];
const copied = ['index.html', 'app.css', 'icon.svg'];

const wanted = fingerprint();
if (process.argv.includes('--force') || current() !== wanted) await write();

function fingerprint(): string {
  const files = readdirSync(source, { recursive: true, encoding: 'utf8' })
    .filter((name) => /\.(?:ts|css|html|svg)$/.test(name))
    .toSorted()
    .map((name) => join(source, name));
  const hash = createHash('sha256');
  for (const file of [...files, ...inputs]) hash.update(`${file}\0`).update(readFileSync(file));
  return hash.digest('hex');
}

function current(): string | undefined {
  try {
    return readFileSync(stamp, 'utf8');
  } catch {
    return undefined;
  }
}

/** Whole or not at all: a server may start meanwhile. */
async function write(): Promise<void> {
  const draft = `${target}.${process.pid}`;
  mkdirSync(draft, { recursive: true });
  try {
    await build({
      absWorkingDir: root,
      entryPoints: [join(source, 'main.ts')],
      outfile: join(draft, 'app.js'),
      bundle: true,
      format: 'esm',
      target: ['chrome125', 'firefox126', 'safari17.4'],
      tsconfig: join(source, 'tsconfig.json'),
      minify: true,
      legalComments: 'none',
      logLevel: 'warning',
    });
    for (const name of copied) cpSync(join(source, name), join(draft, name));
    writeFileSync(join(draft, '.built-from'), wanted);
    rmSync(target, { recursive: true, force: true });
    renameSync(draft, target);
  } finally {
    rmSync(draft, { recursive: true, force: true });
  }
}
