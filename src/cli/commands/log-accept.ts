import { type Command, Option } from 'commander';
import { agrees, describeStanding, losesRevocations } from '../../domain/audit/index.ts';
import { CitadelError } from '../../kernel/index.ts';
import { confirm } from '../confirm.ts';
import { withReason, withYes } from '../options.ts';
import { formatTime } from '../output.ts';

interface AcceptOptions {
  readonly config: string;
  readonly reason: string;
  readonly yes?: boolean;
  readonly revocationsLost?: boolean;
}

/** Adds `citadel log accept`. */
export function addLogAcceptCommand(log: Command): void {
  const command = log
    .command('accept')
    .description(
      'take an older store as it is, of a stopped server, against what was sworn to; on the record',
    )
    .addOption(new Option('--config <file>', 'of the server').env('CITADEL_CONFIG').makeOptionMandatory());
  command.option('--revocations-lost', 'also where something that was taken back is good again by it');
  withYes(withReason(command)).action(async () => {
    const { config: file, reason, yes, revocationsLost } = command.opts<AcceptOptions>();
    if (reason.trim() === '')
      throw new CitadelError('OutOfRange', 'say why with --reason: it stays in the record for ever');
    const { loadServerConfig } = await import('../../app/config/index.ts');
    const { openStoppedServer } = await import('../../app/index.ts');
    const { consoleLog } = await import('../console-log.ts');
    const config = loadServerConfig({ file, env: process.env, onWarning: () => {} });
    await using server = await openStoppedServer(config, consoleLog);
    const wrong = server.standings.filter(({ standing }) => !agrees(standing));
    if (wrong.length === 0) {
      process.stdout.write('The store agrees with every checkpoint: there is nothing to accept.\n');
      return;
    }
    const loses = wrong.some(({ standing }) => losesRevocations(standing));
    if (loses && !revocationsLost)
      throw new CitadelError(
        'FailedPrecondition',
        `${wrong.map(({ place, standing }) => `${place}: ${describeStanding(standing)}`).join('; ')}. What was taken back would be good again. Find a newer store, or say --revocations-lost, and take it back again`,
      );
    await confirm(
      [
        ...wrong.map(({ place, standing }) => `${place}: ${describeStanding(standing)}`),
        loses
          ? 'What the missing entries took back is good again: certificates and authorities that were revoked, roles of operators.'
          : 'Whatever else was decided in what is missing is undone.',
        'Look for a newer store first. It is put on record, and sworn to.',
      ].join('\n'),
      yes,
    );
    const size = await server.accept(`local:${process.getuid?.() ?? 'unknown'}`, reason);
    process.stdout.write(
      `Accepted, as entry ${size}, on ${formatTime(new Date())}. Start the server${loses ? ', and take back again what the lost entries had taken back' : ''}.\n`,
    );
  });
}
