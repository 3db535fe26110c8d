import { type Command, Option } from 'commander';
import { ExitRequest, exitCodes } from '../exit-codes.ts';
import { type OutputOptions, withOutput } from '../options.ts';
import { printRows } from '../output.ts';

interface ValidateOptions extends OutputOptions {
  readonly config: string;
  readonly kind: 'server' | 'agent';
}

/** Adds `citadel config validate`. */
export function addConfigCommands(program: Command): void {
  const command = program
    .command('config')
    .description('configuration files')
    .command('validate')
    .description('judge one, and start nothing')
    .addOption(new Option('--config <file>', 'the file').env('CITADEL_CONFIG').makeOptionMandatory())
    .addOption(new Option('--kind <kind>', 'whose').choices(['server', 'agent']).default('server'));
  withOutput(command).action(async () => {
    const { config: file, kind, output } = command.opts<ValidateOptions>();
    const { formatProblem, readAgentConfig, readServerConfig } = await import('../../app/config/index.ts');
    const readers = { server: readServerConfig, agent: readAgentConfig };
    const judge = (as: ValidateOptions['kind']) => readers[as]({ file, env: process.env });
    const { problems, warnings } = judge(kind);
    if (output !== 'table') {
      const rows = [
        ...problems.map((problem) => ({ severity: 'broken', ...problem })),
        ...warnings.map((warning) => ({ severity: 'warning', ...warning })),
      ];
      printRows(rows, [], output);
    } else {
      for (const problem of problems) process.stderr.write(`${formatProblem(problem)}\n`);
      for (const warning of warnings) process.stderr.write(`warning: ${formatProblem(warning)}\n`);
      const other = kind === 'server' ? 'agent' : 'server';
      if (problems.length > 0 && judge(other).problems.length === 0)
        process.stderr.write(`It is valid as the configuration of the other program: --kind ${other}\n`);
      if (problems.length === 0) process.stdout.write(`${file} is valid\n`);
    }
    if (problems.length > 0) throw new ExitRequest(exitCodes.broken);
    if (warnings.length > 0) throw new ExitRequest(exitCodes.warning);
  });
}
