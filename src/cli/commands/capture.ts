import type { Command } from 'commander';
import {
  applyRuleset,
  type CaptureArguments,
  captureSettings,
  liveRuleset,
  removeRuleset,
  renderRuleset,
} from '../../capture/index.ts';
import { capturePorts } from '../../domain/ports/index.ts';
import { isCitadelError } from '../../kernel/index.ts';
import { confirm } from '../confirm.ts';
import { withYes } from '../options.ts';

interface ApplyOptions extends CaptureArguments {
  readonly yes?: boolean;
}

/** Adds `citadel capture apply|show|remove`. */
export function addCaptureCommands(program: Command): void {
  const capture = program
    .command('capture')
    .description('have connections go through the proxy without the applications’ knowing, by nftables');
  const apply = capture
    .command('apply')
    .description('capture TCP in this network namespace; replaces what an earlier apply made')
    .option('--user <uids>', 'of the proxy and its agent: what they send is not captured')
    .option('--group <gids>', 'likewise, by group')
    .option(
      '--inbound-port <port>',
      'where the proxy takes what comes from outside',
      String(capturePorts.inbound),
    )
    .option('--outbound-port <port>', 'where it takes what applications send', String(capturePorts.outbound))
    .option('--families <list>', 'ipv4, ipv6 or both; those of the addresses in the registry', 'ipv4,ipv6')
    .option('--include-inbound-ports <list>', 'capture these alone, as 80,8000-8010 (default: all but 22)')
    .option('--exclude-inbound-ports <list>', 'leave these as they are')
    .option('--include-outbound-ports <list>', 'capture these alone, never 53 (default: all)')
    .option('--exclude-outbound-ports <list>', 'leave these as they are')
    .option('--include-outbound-cidrs <list>', 'capture calls to these networks alone (default: all)')
    .option('--exclude-outbound-cidrs <list>', 'leave calls to these networks as they are')
    .addHelpText(
      'after',
      '\nA connection is captured when every list that includes has it, and none that excludes.',
    );
  withYes(apply).action(async () => {
    const { yes, ...given } = apply.opts<ApplyOptions>();
    const ruleset = renderRuleset(captureSettings(given));
    await confirm(ruleset, yes);
    await applyRuleset(ruleset);
  });
  capture
    .command('show')
    .description('print the rules as the kernel has them')
    .action(async () => {
      process.stdout.write(await liveRuleset());
    });
  capture
    .command('remove')
    .description('capture nothing any more; connections that are open end')
    .action(async () => {
      try {
        await removeRuleset();
      } catch (error) {
        // Asked for twice, it is done just as well.
        if (!isCitadelError(error, 'NotFound')) throw error;
        process.stderr.write(`${error.message}\n`);
      }
    });
}
