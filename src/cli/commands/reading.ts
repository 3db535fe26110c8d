import type { Command } from 'commander';
import { connectOperator, type OperatorConnection } from '../connection.ts';
import { type ReadingOptions, withConnection, withOutput } from '../options.ts';

/** A command that asks a server: connection and output options, one connection, always closed. */
export function reading(
  command: Command,
  run: (connection: OperatorConnection, options: ReadingOptions, ...args: string[]) => Promise<void>,
): void {
  withOutput(withConnection(command)).action(async (...given: unknown[]) => {
    const options = command.opts<ReadingOptions>();
    const connection = connectOperator(options);
    try {
      await run(connection, options, ...given.filter((argument) => typeof argument === 'string'));
    } finally {
      connection.close();
    }
  });
}
