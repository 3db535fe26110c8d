import type { Command } from 'commander';
import { OperatorServiceService as api, type RotationStatus } from '../../gen/citadel/v1/operator.ts';
import { confirm } from '../confirm.ts';
import { type ConnectionOptions, connectOperator, type OperatorConnection } from '../connection.ts';
import { withConnection, withReason, withYes } from '../options.ts';
import { addRecoverCommand } from './recover.ts';
import { describeProxy } from './rotate-board.ts';
import { addCanaryOptions, canaryOrder, describeCanary } from './rotate-canary.ts';
import {
  addPlan,
  type CrossSignOption,
  planText,
  type WantedRootOptions,
  wantedRoot,
  withCrossSign,
  withWantedRoot,
} from './rotate-plan.ts';
import { addRehearse } from './rotate-rehearse.ts';
import { addStatus, printStatus, wholeBoard } from './rotate-status.ts';

interface ChangingOptions extends ConnectionOptions {
  readonly yes?: boolean;
  readonly reason: string;
}

/** Adds the commands that rotate the trust root. */
export function addRotateCommands(program: Command): void {
  const rotate = program.command('rotate').description('replace the trust root, with evidence at each step');
  addStatus(rotate);
  addPlan(rotate);
  addRehearse(rotate);
  addStart(rotate);
  addContinue(rotate);
  addExcuse(rotate);
  addAbort(rotate);
  addRecoverCommand(rotate);
}

interface StartOptions {
  readonly plan?: string;
  readonly force: boolean;
  readonly withoutCrls: boolean;
}

function addStart(rotate: Command): void {
  const command = rotate
    .command('start')
    .description('make the next root and hand it out; nothing signs with it yet');
  starting(withWantedRoot(command), () => command.opts<WantedRootOptions>());
}

/** Adds `authority import`. */
export function addImportCommand(authority: Command): void {
  const command = authority
    .command('import')
    .description('begin a rotation to the authority that authority.existing names');
  const wanted = { algorithm: '', lifetime: 0, from: 'existing' };
  starting(withCrossSign(command), () => ({ ...wanted, ...command.opts<CrossSignOption>() }));
}

function starting(command: Command, wantedRootOptions: () => WantedRootOptions): void {
  addCanaryOptions(command)
    .option('--plan <token>', 'refused where what this plan was made of has changed (default: the one shown)')
    .option('--force', 'begin although some cannot verify its algorithm: who is named breaks', false)
    .option('--without-crls', 'begin although no revoked certificate is refused once it signs', false);
  changing(command, async (connection, { yes, reason }) => {
    const { plan, force, withoutCrls } = command.opts<StartOptions>();
    const wanted = wantedRoot(wantedRootOptions());
    const canary = canaryOrder(command);
    const shown = await connection.call(api.planRotation, { ...wanted, canary });
    const text = [...(canary ? [describeCanary(canary)] : []), planText(shown)];
    await confirm(startPlan(text.join('\n')), yes);
    const oldRoot = shown.oldRoot?.fingerprint ?? '';
    return connection.call(api.startRotation, {
      reason,
      oldRoot,
      ...wanted,
      plan: plan ?? shown.token,
      canary,
      force,
      withoutCrls,
    });
  });
}

function startPlan(plan: string): string {
  return [
    'A root is made, and is handed out beside the present one; nothing signs with it yet.',
    plan,
    'distribute and drain end by `citadel rotate continue`, and only where that is seen to be safe.',
  ].join('\n');
}

function addContinue(rotate: Command): void {
  const command = rotate
    .command('continue')
    .description('end the present phase, where evidence permits it')
    .option('--force', 'end it against the evidence: what is named breaks', false)
    .option('--leave-key', 'leave the key that would be destroyed: its home is lost for good', false)
    .option(
      '--destroy-imported-key',
      'destroy the old root’s key at the end, though it was not made here',
      false,
    );
  changing(command, async (connection, { yes, reason }) => {
    const words = command.opts<ContinueWords>();
    const status = await connection.call(api.getRotation, wholeBoard);
    await confirm(continuePlan(status, words), yes);
    return connection.call(api.continueRotation, { reason, phase: status.phase, ...pick(words) });
  });
}

interface ContinueWords {
  readonly force: boolean;
  readonly leaveKey: boolean;
  readonly destroyImportedKey: boolean;
}

/** Without what else is an option of the command. */
function pick({ force, leaveKey, destroyImportedKey }: ContinueWords): ContinueWords {
  return { force, leaveKey, destroyImportedKey };
}

/** What becomes of those against whom a phase is ended, by the phase. */
const breaks: Readonly<Record<string, string>> = {
  canary: ', which may refuse the bundle, or fail with it',
  distribute: '. Whoever does not know the new root refuses every certificate from now on',
  drain:
    '. Every certificate under the old root is refused from now on, and the agent that has no other is kept out',
  retire: '. Whoever trusts the old root still takes what its key has signed',
};

function continuePlan({ phase, gate }: RotationStatus, words: ContinueWords): string {
  const effect =
    phase === 'canary'
      ? 'The bundle with the new root goes to all.'
      : phase === 'distribute'
        ? 'The new root signs from now on.'
        : phase === 'drain'
          ? 'The old root leaves the bundle: whatever is under it is refused.'
          : `Phase ${phase} is looked at again.`;
  const waited = gate?.proxies.filter((proxy) => proxy.waited) ?? [];
  const all = (gate?.stragglers ?? 0) + (gate?.unproven ?? 0);
  const broken = words.force
    ? [
        `By force, against ${all} proxies and ${gate?.leaves ?? 0} certificates${breaks[phase] ?? ''}:`,
        ...waited.map((proxy) => `  ${describeProxy(proxy)}`),
        ...(all > waited.length ? [`  and ${all - waited.length} more`] : []),
      ]
    : [];
  return [
    effect,
    ...(words.leaveKey
      ? ['The key that would be destroyed stays in its home: whoever finds it there has it.']
      : []),
    ...(words.destroyImportedKey
      ? ['The key of the old root is destroyed at the end, also for whoever else uses it.']
      : []),
    ...broken,
  ].join('\n');
}

function addExcuse(rotate: Command): void {
  const command = rotate
    .command('excuse')
    .description('leave one proxy out of account, on the record')
    .argument('<key>', 'as the status names it');
  changing(command, async (connection, { yes, reason }) => {
    const [proxyKey = ''] = command.args;
    const query = { ...wholeBoard, filter: proxyKey };
    const { gate } = await connection.call(api.getRotation, query);
    const proxy = gate?.proxies.find((each) => each.proxyKey === proxyKey);
    await confirm(`No phase waits any more for ${proxy ? describeProxy(proxy) : proxyKey}.`, yes);
    return connection.call(api.excuseProxy, { reason, proxyKey });
  });
}

function addAbort(rotate: Command): void {
  const command = rotate.command('abort').description('go back to the old root');
  changing(command, async (connection, { yes, reason }) => {
    const { phase } = await connection.call(api.getRotation, wholeBoard);
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
