import type { Command } from 'commander';
import {
  OperatorServiceService as api,
  type MutualTlsStatus,
  type PlaintextCaller,
} from '../../gen/citadel/v1/operator.ts';
import { seconds } from '../options.ts';
import { formatTime, type OutputFormat, printRows } from '../output.ts';
import { addEnforceCommands } from './enforce.ts';
import { enforcementColumns } from './enforce-text.ts';
import { reading } from './reading.ts';

interface StatusFilters {
  readonly namespace?: string;
  readonly workload?: string;
  readonly window: number;
}

/** Adds the commands about the way from plaintext to mutual TLS. */
export function addMutualTlsCommands(program: Command): void {
  const mtls = program.command('mtls').description('the way from plaintext to mutual TLS');
  const status = mtls
    .command('status')
    .description('who calls without mutual TLS, and whether demanding it is safe')
    .option('--namespace <name>', 'only workloads of this namespace')
    .option('--workload <name>', 'only this workload')
    .option('--window <duration>', 'how far back nobody may have called by plaintext', seconds, 3600);
  reading(status, async (connection, { output }) => {
    const { namespace = '', workload = '', window } = status.opts<StatusFilters>();
    const windowSeconds = BigInt(Math.ceil(window));
    const response = await connection.call(api.getMutualTlsStatus, { namespace, workload, windowSeconds });
    printStatus(response.workloads, output);
    if (output !== 'table') return;
    const { enforcements } = await connection.call(api.listEnforcements, { id: '' });
    const live = enforcements.filter(
      ({ state }) => state === 'running' || state === 'halted' || state === 'done',
    );
    if (live.length === 0) return;
    process.stdout.write('\n');
    printRows(live, enforcementColumns, output);
  });
  addEnforceCommands(mtls);
}

function printStatus(workloads: readonly MutualTlsStatus[], format: OutputFormat): void {
  printRows(workloads, workloadColumns, format);
  if (format !== 'table') return;
  const callers = workloads.flatMap((status) =>
    status.callers.map((caller) => ({ ...caller, to: status.workload })),
  );
  if (callers.length > 0) {
    process.stdout.write('\n');
    printRows(callers, callerColumns, format);
  }
}

/** One line on the ports' modes: what is so, and what is to be where that is not known to be so. */
export function modesOf({ ports }: MutualTlsStatus): string {
  return ports
    .map(({ port, wantedMode, effectiveMode, detail }) => {
      const name = portName(port);
      return effectiveMode === '' ? `${name} (${wantedMode}: ${detail})` : `${name} ${effectiveMode}`;
    })
    .join(', ');
}

/** All ports that the workload does not declare are one. */
function portName(port: number): string {
  return port === 0 ? 'other' : String(port);
}

/** The order; policies that say the same make it superfluous. */
function enforcedBy({ enforcedBy: order, ports }: MutualTlsStatus): string {
  if (order === '') return '';
  const superfluous = ports.every(({ policyMode, wantedMode }) => policyMode === wantedMode);
  return superfluous ? `${order} (as policies do)` : order;
}

const workloadColumns = [
  { title: 'WORKLOAD', value: (row: MutualTlsStatus) => row.workload },
  { title: 'MODE', value: modesOf },
  { title: 'ENFORCED BY', value: enforcedBy },
  { title: 'STRICT IS', value: (row: MutualTlsStatus) => row.strict },
  { title: 'BY PLAINTEXT', value: (row: MutualTlsStatus) => String(row.callers.length) },
  { title: 'LAST', value: (row: MutualTlsStatus) => formatTime(row.callers[0]?.lastAt) },
  { title: 'COMPLETE SINCE', value: (row: MutualTlsStatus) => formatTime(row.completeSince) },
  { title: 'WHY', value: (row: MutualTlsStatus) => row.reasons.join('; ') },
];

type Caller = PlaintextCaller & { readonly to: string };

const callerColumns = [
  { title: 'CALLED', value: (row: Caller) => `${row.to}:${portName(row.port)}` },
  { title: 'BY PLAINTEXT FROM', value: (row: Caller) => row.address },
  { title: 'WORKLOAD', value: (row: Caller) => row.workloads.join(', ') },
  { title: 'FIRST', value: (row: Caller) => formatTime(row.firstAt) },
  { title: 'LAST', value: (row: Caller) => formatTime(row.lastAt) },
  { title: 'CALLS', value: (row: Caller) => row.calls.toString() },
];
