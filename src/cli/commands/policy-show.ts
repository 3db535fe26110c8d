import type { Command } from 'commander';
import { policyKey } from '../../domain/policy/index.ts';
import { CitadelError } from '../../kernel/index.ts';
import { printRows } from '../output.ts';
import { parseKey, policyKeyHelp } from '../policy-keys.ts';
import { revisionArgument, revisionMark, storedPolicies } from '../stored-policies.ts';
import { reading } from './reading.ts';

/** Adds `citadel policy show`. */
export function addShow(policy: Command): void {
  const command = policy
    .command('show')
    .description('policies that are kept here, as their authors wrote them, to edit and apply')
    .argument('[policy...]', `${policyKeyHelp}; none: all`)
    .option('--revision <revision>', 'as they were then', revisionArgument);
  reading(command, async (connection, { output }) => {
    const { revision: asked } = command.opts<{ readonly revision?: number }>();
    const keys = command.args.map(parseKey).map(policyKey);
    const { revision, policies } = await storedPolicies(connection, asked);
    const missing = keys.find((key) => !policies.some((each) => policyKey(each) === key));
    if (missing !== undefined)
      throw new CitadelError(
        'NotFound',
        `${missing} is not kept here at revision ${revision}: citadel policy status names its source, citadel policy history ${missing} its changes`,
      );
    const shown = policies.filter((each) => keys.length === 0 || keys.includes(policyKey(each)));
    if (output !== 'table') return printRows(shown, [], output);
    process.stdout.write(revisionMark(revision) + shown.map(({ text = '' }) => text).join('---\n'));
  });
}
