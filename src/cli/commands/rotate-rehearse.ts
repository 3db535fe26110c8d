import type { Command } from 'commander';
import { OperatorServiceService as api, type RehearsedStep } from '../../gen/citadel/v1/operator.ts';
import { connectOperator } from '../connection.ts';
import { ExitRequest, exitCodes } from '../exit-codes.ts';
import { type ReadingOptions, withConnection, withOutput, withReason } from '../options.ts';
import { printRecord, printRows } from '../output.ts';
import { withFrom } from './rotate-plan.ts';

interface RehearseOptions extends ReadingOptions {
  readonly algorithm: string;
  readonly from: string;
  readonly reason: string;
}

export function addRehearse(rotate: Command): void {
  const command = withFrom(
    rotate
      .command('rehearse')
      .description('make, sign and destroy throwaway keys where the new root’s would be; nothing stays')
      .option('--algorithm <name>', 'of the root key (default: as configured)', ''),
  );
  withOutput(withConnection(withReason(command)));
  // A home far away makes its keys slowly.
  command.options.find(({ long }) => long === '--timeout')?.default(60, '60s');
  command.setOptionValueWithSource('timeout', 60, 'default');
  command.action(async () => {
    const options = command.opts<RehearseOptions>();
    const connection = connectOperator(options);
    try {
      const { algorithm, from, reason, output } = options;
      const report = await connection.call(api.rehearseRotation, { algorithm, from, reason });
      if (output === 'table') printRows(report.steps, columns, output);
      else printRecord({ ...report }, output);
      if (!report.ok) throw new ExitRequest(exitCodes.broken);
    } finally {
      connection.close();
    }
  });
}

const columns = [
  { title: 'STEP', value: (row: RehearsedStep) => row.name },
  { title: 'RESULT', value: (row: RehearsedStep) => row.result },
  { title: 'WHAT', value: (row: RehearsedStep) => row.detail },
  { title: 'TO MEND IT', value: (row: RehearsedStep) => row.mend },
];
