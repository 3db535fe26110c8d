import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { stringify } from 'yaml';
import { isPolicyKind, policyKinds } from '../src/domain/policy/index.ts';
import { definitionOf, names } from './crds/definition.ts';

const [option, ...rest] = process.argv.slice(2);
if ((option !== undefined && option !== '--check') || rest.length > 0) {
  console.error('usage: scripts/gen-crds [--check]');
  process.exit(2);
}

const directory = 'deploy/kubernetes/crds';
const head =
  '# Made by scripts/gen-crds from the schema of the reader of policies (src/domain/policy/read).\n';
mkdirSync(directory, { recursive: true });
let stale = 0;
for (const kind of policyKinds.filter(isPolicyKind)) {
  const file = `${directory}/${names[kind].plural}.yaml`;
  const text = head + stringify(definitionOf(kind), { aliasDuplicateObjects: false, lineWidth: 110 });
  if (option === undefined) writeFileSync(file, text);
  else if (readOrEmpty(file) !== text) {
    console.error(`${file} is not what the schema says; run scripts/gen-crds`);
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
