import { Command } from 'commander';
import { version } from '../kernel/index.ts';
import { exitCodesHelp } from './exit-codes.ts';

/** Commands of the first level, and the module that adds them. */
interface Group {
  readonly names: readonly string[];
  readonly load: () => Promise<(program: Command) => void>;
}

const groups: readonly Group[] = [
  { names: ['server', 'agent'], load: async () => (await import('./commands/run.ts')).addRunCommands },
  { names: ['check'], load: async () => (await import('./commands/check.ts')).addCheckCommand },
  {
    names: ['certificate', 'authority', 'proxy', 'bundle', 'audit'],
    load: async () => (await import('./commands/read.ts')).addReadingCommands,
  },
  { names: ['operator'], load: async () => (await import('./commands/operator.ts')).addOperatorCommands },
  { names: ['policy'], load: async () => (await import('./commands/policy.ts')).addPolicyCommands },
  { names: ['mtls'], load: async () => (await import('./commands/mtls.ts')).addMutualTlsCommands },
  { names: ['rotate'], load: async () => (await import('./commands/rotate.ts')).addRotateCommands },
  { names: ['backup'], load: async () => (await import('./commands/backup.ts')).addBackupCommands },
  { names: ['log'], load: async () => (await import('./commands/log.ts')).addLogCommands },
  { names: ['config'], load: async () => (await import('./commands/config.ts')).addConfigCommands },
  { names: ['capture'], load: async () => (await import('./commands/capture.ts')).addCaptureCommands },
];

/**
 * The command line. Commander throws in place of ending the process. A command that is named by its first word is loaded
 * alone: the whole takes several times as long. Help, completions and what is misspelt ask for all of them.
 * @param words what follows the program's name
 */
export async function createProgram(words: readonly string[] = []): Promise<Command> {
  const program = new Command('citadel')
    .description('a certificate authority and zero-trust identity service that shows its evidence')
    .version(version, '-V, --version', 'print the version')
    .exitOverride()
    .enablePositionalOptions()
    .showSuggestionAfterError()
    .addHelpText('after', exitCodesHelp);
  const [first = ''] = words;
  if (['-V', '--version'].includes(first)) return program;
  const named = groups.find(({ names }) => names.includes(first));
  for (const { load } of named ? [named] : groups) (await load())(program);
  if (named === undefined) {
    const { addCompletionCommands } = await import('./commands/completion.ts');
    addCompletionCommands(program);
  }
  return program;
}
