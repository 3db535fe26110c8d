import type { Command } from 'commander';
import {
  OperatorServiceService as api,
  type PlannedPhase,
  type ProxyStanding,
  type RotationStatus,
} from '../../gen/citadel/v1/operator.ts';
import { confirm } from '../confirm.ts';
import { type ConnectionOptions, connectOperator, type OperatorConnection } from '../connection.ts';
import { seconds, withConnection, withReason, withYes } from '../options.ts';
import { formatTime, type OutputFormat, printRecord, printRows } from '../output.ts';
import { reading } from './read.ts';
import { addRecoverCommand } from './recover.ts';

interface ChangingOptions extends ConnectionOptions {
  readonly yes?: boolean;
  readonly reason: string;
}

/** Adds the commands that rotate the trust root. */
export function addRotateCommands(program: Command): void {
  const rotate = program.command('rotate').description('replace the trust root, with evidence at each step');
  const status = rotate.command('status').description('where it is, and what it waits for');
  reading(status, async (connection, { output }) => {
    printStatus(await connection.call(api.getRotation, {}), output);
  });
  const plan = rotate
    .command('plan')
    .description('what a rotation would wait for if it began now, and when it could end');
  reading(plan, async (connection, { output }) => {
    printRows((await connection.call(api.planRotation, {})).phases, planColumns, output);
  });
  addStart(rotate);
  addContinue(rotate);
  addExcuse(rotate);
  addAbort(rotate);
  addRecoverCommand(rotate);
}

function addStart(rotate: Command): void {
  const command = rotate
    .command('start')
    .description('make the next root and hand it out; nothing signs with it yet')
    .option('--algorithm <name>', 'of its key (default: as configured)', '')
    .option('--lifetime <duration>', 'of its certificate (default: as configured)', seconds, 0);
  changing(command, async (connection, { yes, reason }) => {
    const { algorithm, lifetime } = command.opts<{ readonly algorithm: string; readonly lifetime: number }>();
    const { activeRoot } = await connection.call(api.getRotation, {});
    const { phases } = await connection.call(api.planRotation, {});
    await confirm(startPlan(activeRoot, phases), yes);
    return connection.call(api.startRotation, {
      reason,
      oldRoot: activeRoot,
      algorithm,
      lifetimeSeconds: BigInt(Math.ceil(lifetime)),
    });
  });
}

function startPlan(activeRoot: string, phases: readonly PlannedPhase[]): string {
  return [
    `A root is made to take the place of ${activeRoot.slice(0, 16)}, and is handed out; nothing signs with it yet.`,
    ...phases.map(
      ({ phase, waitsFor, earliestEnd }) =>
        `  ${phase}, until ${formatTime(earliestEnd)} at the earliest, waits for ${waitsFor}`,
    ),
    'distribute and drain end by `citadel rotate continue`, and only where that is seen to be safe.',
  ].join('\n');
}

function addContinue(rotate: Command): void {
  const command = rotate
    .command('continue')
    .description('end the present phase, where evidence permits it')
    .option('--force', 'end it against the evidence: what is named breaks', false);
  changing(command, async (connection, { yes, reason }) => {
    const { force } = command.opts<{ readonly force: boolean }>();
    const status = await connection.call(api.getRotation, {});
    await confirm(continuePlan(status, force), yes);
    return connection.call(api.continueRotation, { reason, phase: status.phase, force });
  });
}

function continuePlan({ phase, gate }: RotationStatus, force: boolean): string {
  const effect =
    phase === 'distribute'
      ? 'The new root signs from now on.'
      : phase === 'drain'
        ? 'The old root leaves the bundle: whatever is under it is refused.'
        : `Phase ${phase} is looked at again.`;
  const waited = gate?.proxies.filter((proxy) => proxy.waited) ?? [];
  const leaves = gate?.leaves ?? 0;
  const broken = force
    ? [
        `By force, against ${waited.length} proxies and ${leaves} certificates:`,
        ...waited.map((proxy) => `  ${describe(proxy)}`),
      ]
    : [];
  return [effect, ...broken].join('\n');
}

function addExcuse(rotate: Command): void {
  const command = rotate
    .command('excuse')
    .description('leave one proxy out of account, on the record')
    .argument('<key>', 'as the status names it');
  changing(command, async (connection, { yes, reason }) => {
    const [proxyKey = ''] = command.args;
    const { gate } = await connection.call(api.getRotation, {});
    const proxy = gate?.proxies.find((each) => each.proxyKey === proxyKey);
    await confirm(`No phase waits any more for ${proxy ? describe(proxy) : proxyKey}.`, yes);
    return connection.call(api.excuseProxy, { reason, proxyKey });
  });
}

function addAbort(rotate: Command): void {
  const command = rotate.command('abort').description('go back to the old root');
  changing(command, async (connection, { yes, reason }) => {
    const { phase } = await connection.call(api.getRotation, {});
    await confirm('The old root signs, and the new one leaves the bundle once nothing is under it.', yes);
    return connection.call(api.abortRotation, { reason, phase });
  });
}

function changing(
  command: Command,
  change: (connection: OperatorConnection, options: ChangingOptions) => Promise<RotationStatus>,
): void {
  withConnection(withYes(withReason(command))).action(async () => {
    const options = command.opts<ChangingOptions>();
    const connection = connectOperator(options);
    try {
      printStatus(await change(connection, options), 'table');
    } finally {
      connection.close();
    }
  });
}

function printStatus(status: RotationStatus, format: OutputFormat): void {
  if (format !== 'table') return printRecord({ ...status }, format);
  const { gate } = status;
  if (status.id === '') {
    process.stdout.write(`no rotation yet; the active root is ${status.activeRoot.slice(0, 16)}\n`);
    return;
  }
  const inUse = gate?.proxies.filter(({ standing }) => standing === 'inUse').length ?? 0;
  printRecord(
    {
      phase: `${status.phase} since ${formatTime(status.phaseSince)}`,
      'old root': status.oldRoot.slice(0, 16),
      'new root': status.newRoot.slice(0, 16),
      started: `${formatTime(status.startedAt)} by ${status.startedBy}`,
      'in use': gate ? `${inUse} of ${gate.proxies.length} live proxies` : '',
      'certificates to end':
        gate && gate.leaves > 0 ? `${gate.leaves}, until ${formatTime(gate.leavesUntil)}` : '',
      next: gate?.open ? 'nothing is missing: citadel rotate continue' : '',
    },
    format,
  );
  const waited = gate?.proxies.filter((proxy) => proxy.waited) ?? [];
  if (waited.length === 0) return;
  process.stdout.write('\n');
  printRows(waited, stragglerColumns, format);
}

function describe({ spiffeId, proxyKey, standing, detail }: ProxyStanding): string {
  return `${spiffeId} (${proxyKey}): ${standing}, ${detail}`;
}

const planColumns = [
  { title: 'PHASE', value: (row: PlannedPhase) => row.phase },
  { title: 'ENDS AT THE EARLIEST', value: (row: PlannedPhase) => formatTime(row.earliestEnd) },
  { title: 'WAITS FOR', value: (row: PlannedPhase) => row.waitsFor },
];

const stragglerColumns = [
  { title: 'WAITS FOR', value: (row: ProxyStanding) => row.spiffeId },
  { title: 'KEY', value: (row: ProxyStanding) => row.proxyKey },
  { title: 'IS', value: (row: ProxyStanding) => row.standing },
  { title: 'WHY', value: (row: ProxyStanding) => row.detail },
  { title: 'LAST SEEN', value: (row: ProxyStanding) => formatTime(row.lastSeenAt) },
];
