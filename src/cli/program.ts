import { Command } from 'commander';
import { version } from '../kernel/index.ts';
import { addBackupCommands } from './commands/backup.ts';
import { addCaptureCommands } from './commands/capture.ts';
import { addCheckCommand } from './commands/check.ts';
import { addCompletionCommands } from './commands/completion.ts';
import { addConfigCommands } from './commands/config.ts';
import { addLogCommands } from './commands/log.ts';
import { addMutualTlsCommands } from './commands/mtls.ts';
import { addOperatorCommands } from './commands/operator.ts';
import { addPolicyCommands } from './commands/policy.ts';
import { addReadingCommands } from './commands/read.ts';
import { addRotateCommands } from './commands/rotate.ts';
import { addRunCommands } from './commands/run.ts';
import { exitCodesHelp } from './exit-codes.ts';

/** The whole command line. Commander throws in place of ending the process. */
export function createProgram(): Command {
  const program = new Command('citadel')
    .description('a certificate authority and zero-trust identity service that shows its evidence')
    .version(version, '-V, --version', 'print the version')
    .exitOverride()
    .enablePositionalOptions()
    .showSuggestionAfterError()
    .addHelpText('after', exitCodesHelp);
  addRunCommands(program);
  addCheckCommand(program);
  addReadingCommands(program);
  addOperatorCommands(program);
  addPolicyCommands(program);
  addMutualTlsCommands(program);
  addRotateCommands(program);
  addBackupCommands(program);
  addLogCommands(program);
  addConfigCommands(program);
  addCaptureCommands(program);
  addCompletionCommands(program);
  return program;
}
