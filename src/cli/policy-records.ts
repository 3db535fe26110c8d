import { createReadStream } from 'node:fs';
import { type Command, Option } from 'commander';
import type { PolicyWorld } from '../domain/policy/index.ts';
import { longestRecordLine, type ReadRecords, readRecordLines } from '../domain/records/index.ts';
import * as wire from '../gen/citadel/v1/operator.ts';
import { unreadable } from '../kernel/index.ts';
import { type ConnectionOptions, connectOperator } from './connection.ts';
import { linesOf } from './lines.ts';
import { pastTime } from './options.ts';
import { formatTime, printable } from './output.ts';

/** Where a command takes recorded decisions from: a file, or a server that runs. */
export interface RecordsOptions extends ConnectionOptions {
  readonly records?: string;
  readonly since?: Date;
}

const limits = { line: longestRecordLine, longest: 64 * 1024 ** 2, total: 4 * 1024 ** 3 };

/** Options of every command that looks at recorded decisions. */
export function withRecords(command: Command): Command {
  return command
    .addOption(
      new Option(
        '--records <file>',
        "recorded decisions, as citadel policy records wrote them, or a callee's Istio JSON access log; - for standard input",
      ),
    )
    .addOption(new Option('--since <time>', 'of calls since then; 24h for the last day').argParser(pastTime));
}

/**
 * Recorded decisions of a file, or else of the server.
 * @param world whose workloads an access log names by their addresses
 * @throws CitadelError where they cannot be had
 */
export function loadRecords(
  options: RecordsOptions,
  world: Pick<PolicyWorld, 'workloads'>,
): Promise<ReadRecords> {
  const reading = { workloads: world.workloads.values(), since: options.since };
  const { records: file } = options;
  return file === undefined
    ? fromServer(options, (lines) => readRecordLines(lines, reading))
    : readRecordLines(linesOf(fromFile(file), file, limits), reading);
}

/** What the server keeps, line by line. */
export async function fromServer<T>(
  options: RecordsOptions,
  read: (lines: AsyncIterable<string>) => Promise<T>,
): Promise<T> {
  const connection = connectOperator(options);
  try {
    const request = { since: options.since, workloads: [] };
    const parts = connection.download(wire.OperatorServiceService.getDecisionRecords, request);
    return await read(linesOf(bytesOf(parts), 'what the server sends', limits));
  } finally {
    connection.close();
  }
}

async function* bytesOf(parts: AsyncIterable<{ readonly chunk: Uint8Array }>): AsyncGenerator<Uint8Array> {
  for await (const { chunk } of parts) yield chunk;
}

async function* fromFile(file: string): AsyncGenerator<Uint8Array> {
  try {
    for await (const chunk of file === '-' ? process.stdin : createReadStream(file)) {
      const bytes: unknown = chunk;
      if (bytes instanceof Uint8Array) yield bytes;
    }
  } catch (cause) {
    throw unreadable(`the file of records ${file}`, cause);
  }
}

/** What a reader of any result should know of the records it stands on; each a line. */
export function recordsCaveats({ head, faults, faulty, passedOver }: ReadRecords): readonly string[] {
  const forgotten = head?.forgotten;
  return [
    ...faults.map(({ line, message }) => printable(`line ${line}: ${message}`)),
    ...(faulty > faults.length ? [`${faulty} lines in all could not be read`] : []),
    ...(passedOver > 0
      ? [`${passedOver} ${passedOver === 1 ? 'line is' : 'lines are'} no decision on a call to a workload`]
      : []),
    ...(forgotten
      ? [
          `${forgotten.calls} calls up to ${formatTime(forgotten.until)} were forgotten by the server for want of room`,
        ]
      : []),
  ];
}
