import { mkdirSync } from 'node:fs';
import { stringify } from 'yaml';
import { isPolicyKind, policyKinds } from '../src/domain/policy/index.ts';
import { definitionOf, names } from './crds/definition.ts';
import { writeOrCheck } from './parts/generated.ts';

const directory = 'deploy/kubernetes/crds';
const head =
  '# Made by scripts/gen-crds from the schema of the reader of policies (src/domain/policy/read).\n';
mkdirSync(directory, { recursive: true });
writeOrCheck(
  'scripts/gen-crds',
  policyKinds.filter(isPolicyKind).map((kind) => {
    const text = stringify(definitionOf(kind), { aliasDuplicateObjects: false, lineWidth: 110 });
    return [`${directory}/${names[kind].plural}.yaml`, head + text];
  }),
);
