import { type Command, Option } from 'commander';
import { callerName, requestWords } from '../../domain/policy/index.ts';
import type { DecisionRecord } from '../../domain/ports/index.ts';
import { formatRecord, formatRecordsHead, readRecordLines } from '../../domain/records/index.ts';
import type { ConnectionOptions } from '../connection.ts';
import { ExitRequest, exitCodes } from '../exit-codes.ts';
import { pastTime, withConnection } from '../options.ts';
import { formatTime, type OutputFormat, printRows } from '../output.ts';
import { fromServer, recordsCaveats } from '../policy-records.ts';

interface Options extends ConnectionOptions {
  readonly since?: Date;
  readonly to?: string;
  readonly denied?: boolean;
  readonly output: OutputFormat | 'jsonl';
}

/** Adds `citadel policy records`. */
export function addRecords(policy: Command): void {
  const command = policy
    .command('records')
    .description('what proxies told of their decisions: who called whom how, and what became of it')
    .addOption(new Option('--since <time>', 'of calls since then; 24h for the last day').argParser(pastTime))
    .option('--to <callee>', 'of calls to a workload or a service account, as shop/orders')
    .option('--denied', 'what was denied alone')
    .addOption(
      new Option('-o, --output <format>', 'jsonl is what replay and suggest take with --records')
        .choices(['table', 'json', 'yaml', 'jsonl'])
        .default('table'),
    );
  withConnection(command).action(async () => {
    const options = command.opts<Options>();
    const { output } = options;
    const read = await fromServer(options, (lines) =>
      readRecordLines(lines, { workloads: [], since: options.since }),
    );
    for (const line of recordsCaveats(read)) process.stderr.write(`warning: ${line}\n`);
    const records = read.records
      .filter((record) => isAsked(record, options))
      .toSorted((a, b) => b.last.getTime() - a.last.getTime());
    if (output !== 'jsonl') printRows(records, columns, output);
    else {
      if (read.head) process.stdout.write(`${formatRecordsHead(read.head)}\n`);
      for (const record of records) process.stdout.write(`${formatRecord(record)}\n`);
    }
    if (read.faulty > 0) throw new ExitRequest(exitCodes.warning);
  });
}

function isAsked({ workload, serviceAccount, decision }: DecisionRecord, { to, denied }: Options): boolean {
  if (denied === true && decision === 'allowed') return false;
  const [namespace, name] = workload.split('/').slice(-2);
  return (
    to === undefined || [workload, `${namespace}/${name}`, `${namespace}/${serviceAccount}`].includes(to)
  );
}

const columns = [
  { title: 'CALLEE', value: ({ workload }: DecisionRecord) => workload },
  { title: 'PORT', value: ({ port }: DecisionRecord) => (port === 0 ? 'other' : String(port)) },
  { title: 'CALLER', value: callerName },
  { title: 'REQUEST', value: requestWords },
  { title: 'HOST', value: ({ host = '' }: DecisionRecord) => host },
  { title: 'DECISION', value: decisionText },
  { title: 'CALLS', value: ({ count, sampled }: DecisionRecord) => `${count}${sampled ? ' sampled' : ''}` },
  { title: 'LAST', value: ({ last }: DecisionRecord) => formatTime(last) },
];

/** @param calls how many */
export function callsText(calls: number): string {
  return `${calls} call${calls === 1 ? '' : 's'}`;
}

function decisionText({ decision, policy, rule, refusedBy }: DecisionRecord): string {
  const by = policy === undefined ? refusedBy : `${policy}, rule ${rule ?? 0}`;
  return by === undefined ? decision : `${decision} by ${by}`;
}
