import { userInfo } from 'node:os';
import { type Command, Option } from 'commander';
import { silentLog } from '../../kernel/index.ts';
import { confirm } from '../confirm.ts';
import { withReason, withYes } from '../options.ts';
import { formatTime } from '../output.ts';

interface RecoverOptions {
  readonly config: string;
  readonly yes?: boolean;
  readonly reason: string;
}

/** Adds `rotate recover`. */
export function addRecoverCommand(rotate: Command): void {
  const command = rotate
    .command('recover')
    .description('replace a root that has ended, on the machine of the stopped server')
    .addOption(new Option('--config <file>', 'of the server').env('CITADEL_CONFIG').makeOptionMandatory());
  withYes(withReason(command)).action(async () => {
    const { config: file, yes, reason } = command.opts<RecoverOptions>();
    const { loadServerConfig } = await import('../../app/config/index.ts');
    const config = loadServerConfig({ file, env: process.env });
    const { openEndedRoot } = await import('../../app/index.ts');
    await using ended = await openEndedRoot(config, silentLog);
    await confirm(
      [
        `${ended.root.id} has ended at ${formatTime(ended.root.notAfter)}: nothing under it is accepted by anybody any more.`,
        `A new root is made in the ${config.keys.kind} key home and takes its place at once.`,
        'Whoever trusts by a file, a pin or a ConfigMap that this server does not publish needs the new bundle by hand.',
      ].join('\n'),
      yes,
    );
    const root = await ended.replace({ by: `local:${userInfo().uid}`, proof: 'data-directory', reason });
    process.stdout.write(
      `${root.id} is the root now, until ${formatTime(root.notAfter)}. Start the server, then: citadel bundle show --format pem --socket PATH\n`,
    );
  });
}
