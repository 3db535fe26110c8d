import { type Command, Option } from 'commander';
import { type Denial, OperatorServiceService } from '../../gen/citadel/v1/operator.ts';
import { pageSizeArgument, pastTime, type ReadingOptions } from '../options.ts';
import { formatTime, printRows, tellNextPage } from '../output.ts';
import { denialCallerText, refusalText } from './policy-denial-text.ts';
import { reading } from './reading.ts';

interface Options extends ReadingOptions {
  readonly to?: string;
  readonly from?: string;
  readonly since?: Date;
  readonly limit: number;
  readonly page?: string;
}

/** Adds `citadel policy denials`. */
export function addDenials(policy: Command): void {
  const command = policy
    .command('denials')
    .description('what was denied of late, requests and connections, with names for policy explain --denial')
    .option('--to <callee>', 'of calls to a workload or a service account, as shop/orders')
    .option('--from <caller>', 'a SPIFFE ID, shop/web, an address, or plaintext')
    .addOption(
      new Option('--since <time>', 'since then; 15m for the last quarter of an hour').argParser(pastTime),
    )
    .option('--limit <count>', 'how many', pageSizeArgument, 100)
    .option('--page <token>', 'go on after a page');
  reading(command, async (connection, { output }) => {
    const { to = '', from = '', since, limit, page = '' } = command.opts<Options>();
    const { denials, nextPageToken } = await connection.call(OperatorServiceService.listDenials, {
      to,
      from,
      since,
      pageSize: limit,
      pageToken: page,
    });
    printRows(denials, columns, output);
    tellNextPage(nextPageToken);
  });
}

const columns = [
  { title: 'AT', value: ({ at }: Denial) => formatTime(at) },
  { title: 'CALLER', value: denialCallerText },
  { title: 'CALLEE', value: ({ workload, port }: Denial) => `${workload}:${port}` },
  { title: 'REQUEST', value: ({ method, path }: Denial) => `${method} ${path}`.trim() || 'connection' },
  {
    title: 'WHY',
    value: (denial: Denial) =>
      `${refusalText(denial)}${denial.revision > 0 ? `, revision ${denial.revision}` : ''}`,
  },
  { title: 'DENIAL', value: ({ id }: Denial) => id },
];
