import type { Command } from 'commander';
import * as wire from '../../gen/citadel/v1/operator.ts';
import { CitadelError } from '../../kernel/index.ts';
import { confirm } from '../confirm.ts';
import { type ConnectionOptions, connectOperator } from '../connection.ts';
import { ExitRequest, exitCodes } from '../exit-codes.ts';
import { seconds, withConnection, withReason, withYes } from '../options.ts';
import { howText, planText, revertText } from './enforce-text.ts';
import { followEnforcement, followRevert } from './follow.ts';

const api = wire.OperatorServiceService;

interface ScopeOptions {
  readonly namespace?: string;
  readonly workload?: string;
  readonly mesh?: true;
}

interface EnforceOptions extends ConnectionOptions, ScopeOptions {
  readonly observe: number;
  readonly window: number;
  readonly revertWithin: number;
  readonly force: boolean;
  readonly reason: string;
  readonly yes?: boolean;
}

type RevertOptions = ConnectionOptions & ScopeOptions & Pick<EnforceOptions, 'reason' | 'yes'>;

/** Adds `citadel mtls enforce` and `citadel mtls revert`. */
export function addEnforceCommands(mtls: Command): void {
  const enforce = withScope(
    mtls
      .command('enforce')
      .description('demand mutual TLS, workload by workload, watching who is refused by it'),
  )
    .option('--observe <duration>', 'how long each workload is watched before the next', seconds, 60)
    .option('--window <duration>', 'how far back nobody may have called by plaintext', seconds, 3600)
    .option(
      '--revert-within <duration>',
      'for so long take a workload back by itself that refuses a caller which succeeded before (default: never)',
      seconds,
      0,
    )
    .option('--force', 'also where it is not known to be safe; needs --reason', false);
  withConnection(withYes(withReason(enforce))).action(() => enforceScope(enforce.opts<EnforceOptions>()));
  const revert = withScope(mtls.command('revert').description('take back what enforce has made strict'));
  withConnection(withYes(withReason(revert))).action(() => revertScope(revert.opts<RevertOptions>()));
}

function withScope(command: Command): Command {
  return command
    .option('--namespace <name>', 'all workloads of a namespace')
    .option('--workload <id>', 'one workload, by its id, or its name where only one has it')
    .option('--mesh', 'all workloads');
}

function scopeOf({ namespace, workload, mesh }: ScopeOptions): wire.MutualTlsScope {
  const named: NonNullable<wire.MutualTlsScope['scope']>[] = [];
  if (namespace !== undefined) named.push({ $case: 'namespace', value: namespace });
  if (workload !== undefined) named.push({ $case: 'workload', value: workload });
  if (mesh) named.push({ $case: 'mesh', value: true });
  const [scope] = named;
  if (scope && named.length === 1) return { scope };
  throw new CitadelError('OutOfRange', 'name one of --namespace, --workload and --mesh');
}

async function enforceScope(options: EnforceOptions): Promise<void> {
  const connection = connectOperator(options);
  try {
    const request: wire.EnforceMutualTlsRequest = {
      scope: scopeOf(options),
      dryRun: true,
      observeSeconds: BigInt(Math.ceil(options.observe)),
      windowSeconds: BigInt(Math.ceil(options.window)),
      revertWithinSeconds: BigInt(Math.ceil(options.revertWithin)),
      force: options.force,
      reason: options.reason,
      planDigest: '',
    };
    const plan = await connection.call(api.enforceMutualTls, request);
    const unready = plan.workloads.filter(({ verdict }) => verdict === 'unsafe' || verdict === 'unknown');
    const text = planText(plan);
    if (!plan.workloads.some(isDue)) {
      process.stdout.write(`${text}\nNothing is left to be made strict.\n`);
      return;
    }
    if (unready.length > 0 && !options.force) {
      process.stderr.write(
        `${text}\nNothing was done: strictness is not known to be safe. Mend what calls by plaintext, or wait; or override it with --force --reason TEXT.\n`,
      );
      throw new ExitRequest(exitCodes.broken);
    }
    await confirm(`${text}\n${howText(options)}`, options.yes);
    const { enforcement } = await connection.call(api.enforceMutualTls, {
      ...request,
      dryRun: false,
      planDigest: plan.planDigest,
    });
    if (!enforcement) throw new CitadelError('Internal', 'the server tells of no order');
    await followEnforcement(connection, enforcement.id);
  } finally {
    connection.close();
  }
}

async function revertScope(options: RevertOptions): Promise<void> {
  const connection = connectOperator(options);
  try {
    const request = { scope: scopeOf(options), dryRun: true, reason: options.reason };
    const plan = await connection.call(api.revertMutualTls, request);
    if (plan.orders.length === 0) {
      process.stdout.write('Nothing is to be taken back: no order holds there.\n');
      return;
    }
    await confirm(revertText(plan), options.yes);
    const done = await connection.call(api.revertMutualTls, { ...request, dryRun: false });
    await followRevert(connection, done.workloads);
    if (done.workloads.length === 0) process.stdout.write('Ended; nothing was strict by it.\n');
  } finally {
    connection.close();
  }
}

function isDue({ verdict }: wire.PlannedWorkload): boolean {
  return verdict !== 'already' && verdict !== 'exempt';
}
