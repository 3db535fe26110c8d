import type { Command } from 'commander';
import { OperatorServiceService as api } from '../../gen/citadel/v1/operator.ts';
import { confirm } from '../confirm.ts';
import { type ConnectionOptions, connectOperator } from '../connection.ts';
import { withConnection, withReason, withYes } from '../options.ts';

/** Adds `authority taint`. */
export function addTaintCommand(authority: Command): void {
  const command = authority
    .command('taint')
    .description('mark an issuing authority as compromised: another one signs, and agents make new keys')
    .argument('<id>', 'its id or fingerprint');
  withConnection(withYes(withReason(command))).action(async () => {
    const options = command.opts<ConnectionOptions & { readonly yes?: boolean; readonly reason: string }>();
    const [id = ''] = command.args;
    await confirm(
      `${id} signs no more, and every agent whose certificate it issued is told to make a new key.`,
      options.yes,
    );
    const connection = connectOperator(options);
    try {
      const tainted = await connection.call(api.taintAuthority, { id, reason: options.reason });
      process.stdout.write(
        `${tainted.id} is tainted. Certificates under it: citadel certificate list --issuer ${tainted.fingerprint}\n`,
      );
    } finally {
      connection.close();
    }
  });
}
