import type { Command } from 'commander';
import { formatWorld } from '../../domain/policy/index.ts';
import { loadWorld, type WorldOptions, withWorld } from '../policy-world.ts';

/** Adds `citadel policy world`. */
export function addWorld(policy: Command): void {
  const command = policy
    .command('world')
    .description('who is there and what holds, as JSON: for commands with --world, where no server is');
  withWorld(command).action(async () => {
    process.stdout.write(formatWorld(await loadWorld(command.opts<WorldOptions>())));
  });
}
