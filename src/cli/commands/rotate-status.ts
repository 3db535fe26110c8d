import { setTimeout as delay } from 'node:timers/promises';
import { type Command, Option } from 'commander';
import {
  OperatorServiceService as api,
  type GetRotationRequest,
  type RotationStatus,
} from '../../gen/citadel/v1/operator.ts';
import { formatInstant } from '../../kernel/index.ts';
import type { OperatorConnection } from '../connection.ts';
import { ExitRequest, exitCodes } from '../exit-codes.ts';
import { pageSizeArgument } from '../options.ts';
import { type OutputFormat, printable, printRecord } from '../output.ts';
import { patiently } from '../patiently.ts';
import { reading } from './reading.ts';
import { boardText, progressLine } from './rotate-board.ts';

interface StatusOptions {
  readonly filter: string;
  readonly standing?: string;
  readonly limit: number;
  readonly watch: boolean;
}

/** Milliseconds between two looks, at least; a look at a large fleet costs the server what it could issue by. */
const interval = 1000;
const longestInterval = 10_000;
const standings = ['inUse', 'accepted', 'handedOut', 'sent', 'refused', 'behind', 'away'];
const clearScreen = '\u001b[H\u001b[2J';

export const wholeBoard: GetRotationRequest = { filter: '', standing: '', limit: 0 };

export function addStatus(rotate: Command): void {
  const status = rotate
    .command('status')
    .description('where it is, what it waits for, and what to do')
    .option('--filter <text>', 'list proxies of whose SPIFFE ID, key or principal this is a part', '')
    .addOption(new Option('--standing <name>', 'list proxies of this standing').choices(standings))
    .option('--limit <count>', 'how many proxies are listed', pageSizeArgument, 100)
    .option('--watch', 'until it ends: 0 when done, 1 when aborted', false);
  reading(status, async (connection, { output }) => {
    const { filter, standing = '', limit, watch } = status.opts<StatusOptions>();
    const query = { filter, standing, limit };
    if (watch) return watchRotation(connection, query, output);
    printStatus(await connection.call(api.getRotation, query), output);
  });
}

export function printStatus(status: RotationStatus, format: OutputFormat): void {
  if (format === 'table') process.stdout.write(boardText(status));
  else printRecord({ ...status }, format);
}

/** Shows where it is until it ends, also over a restart of the server. @throws ExitRequest where it is aborted */
async function watchRotation(
  connection: OperatorConnection,
  query: GetRotationRequest,
  output: OutputFormat,
): Promise<void> {
  const left = () => {
    process.stderr.write('\nNo longer watched; citadel rotate status shows how it goes on.\n');
    process.exit(exitCodes.warning);
  };
  process.once('SIGINT', left);
  let told = '';
  try {
    for (;;) {
      const asked = Date.now();
      const status = await patiently(() => connection.call(api.getRotation, query));
      const pause = Math.min(longestInterval, Math.max(interval, 10 * (Date.now() - asked)));
      const shown = shownAs(status, output);
      if (shown !== told) tell(shown, output);
      told = shown;
      if (status.id === '' || status.phase === 'done') return;
      if (status.phase === 'aborted') throw new ExitRequest(exitCodes.warning);
      await delay(pause);
    }
  } finally {
    process.off('SIGINT', left);
  }
}

function redraws(output: OutputFormat): boolean {
  return output === 'table' && process.stdout.isTTY;
}

function shownAs(status: RotationStatus, output: OutputFormat): string {
  if (output === 'table') return redraws(output) ? boardText(status) : lineText(status);
  // Numbers of 64 bits as text, as in any other JSON of these commands.
  const plain = JSON.stringify(status, (_, part: unknown) =>
    typeof part === 'bigint' ? part.toString() : part,
  );
  return output === 'json' ? plain : `--- ${plain}`;
}

function lineText(status: RotationStatus): string {
  return status.id === '' ? boardText(status).trimEnd() : printable(progressLine(status));
}

function tell(shown: string, output: OutputFormat): void {
  if (redraws(output)) {
    // What does not fit is left out, or the terminal would scroll; one that does not tell its size is not spared.
    const { rows } = process.stdout;
    const lines = shown.trimEnd().split('\n');
    const fitting = rows > 1 ? lines.slice(0, rows - 1) : lines;
    process.stdout.write(`${clearScreen}${fitting.join('\n')}\n`);
  } else if (output === 'table') process.stdout.write(`${formatInstant(new Date())} ${shown}\n`);
  else process.stdout.write(`${shown}\n`);
}
