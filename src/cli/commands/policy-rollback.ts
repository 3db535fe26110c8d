import type { Command } from 'commander';
import { withConnection, withOutput, withReason, withYes } from '../options.ts';
import { parseKey, policyKeyHelp } from '../policy-keys.ts';
import { revisionArgument } from '../stored-policies.ts';
import { type ChangingOptions, changePolicies } from './policy-change.ts';

/** Adds `citadel policy rollback`. */
export function addRollback(policy: Command): void {
  const command = policy
    .command('rollback')
    .description('keep again what was kept here at an earlier revision, as a new one')
    .argument('<revision>', 'as citadel policy history names it; 0 is before the first')
    .argument('[policy...]', `these alone, ${policyKeyHelp}; none: all that is kept here`);
  withOutput(withConnection(withYes(withReason(command)))).action(async () => {
    const [revision = '', ...keys] = command.args;
    const restore = { revision: BigInt(revisionArgument(revision)), keys: keys.map(parseKey) };
    await changePolicies(command.opts<ChangingOptions>(), { texts: [], remove: [], restore });
  });
}
