import { setTimeout as delay } from 'node:timers/promises';
import type { Command } from 'commander';
import * as wire from '../../gen/citadel/v1/operator.ts';
import { CitadelError } from '../../kernel/index.ts';
import { confirm } from '../confirm.ts';
import { connectOperator, type OperatorConnection } from '../connection.ts';
import { withConnection, withReason, withYes } from '../options.ts';
import { printable, printRecord } from '../output.ts';
import { patiently } from '../patiently.ts';
import { changesSince, changesText } from '../stored-policies.ts';
import { type ChangingOptions, tell } from './policy-change.ts';
import { shadowText } from './policy-shadow-text.ts';
import { reading } from './reading.ts';

const api = wire.OperatorServiceService;
/** Milliseconds between two looks. */
const interval = 2_000;

/** Adds `citadel policy shadow ...`: what becomes of a candidate that `policy apply --shadow` has begun to try. */
export function addShadow(policy: Command): void {
  const shadow = policy.command('shadow').description('a change that is tried beside what holds');
  addShadowStatus(shadow);
  addPromote(shadow);
  addRevert(shadow);
}

function addShadowStatus(shadow: Command): void {
  const command = shadow
    .command('status')
    .description('which proxies have it, and on which calls it disagrees with what holds')
    .option('--watch', 'again and again, until it is promoted or taken back');
  reading(command, async (connection, { output }) => {
    const { watch = false } = command.opts<{ readonly watch?: boolean }>();
    let before = '';
    for (let isFirst = true; ; isFirst = false) {
      // A server that was never there is not waited for.
      const status = isFirst ? await ask(connection) : await patiently(() => ask(connection));
      if (output !== 'table') printRecord({ shadow: status ?? null }, output);
      else {
        const text = status ? shadowText(status, new Date()) : 'Nothing is tried.\n';
        if (text !== before) process.stdout.write(text);
        before = text;
      }
      if (!watch || !status) return;
      await delay(interval);
    }
  });
}

function addPromote(shadow: Command): void {
  const command = shadow
    .command('promote')
    .description('make hold what was tried, and nothing else')
    .option('--force', 'also where it is in doubt; needs a reason');
  withConnection(withYes(withReason(command))).action(() =>
    ordering(command.opts<ChangingOptions & { readonly force?: boolean }>(), async (order) => {
      const { connection, status, options } = order;
      await refuseChanged(connection, status);
      for (const doubt of [...status.obstacles, ...status.doubts]) tell(`warning: ${doubt}`);
      await confirm(objectLines(status, 'would hold'), options.yes);
      const { force = false, reason } = options;
      const { revision } = await connection.call(api.promotePolicyShadow, { id: status.id, force, reason });
      process.stdout.write(`Revision ${revision}: the candidate holds.\n`);
    }),
  );
}

function addRevert(shadow: Command): void {
  const command = shadow.command('revert').description('take the candidate back; what holds goes on to hold');
  withConnection(withYes(withReason(command))).action(() =>
    ordering(command.opts<ChangingOptions>(), async ({ connection, status, options }) => {
      await confirm(objectLines(status, 'is tried no more'), options.yes);
      await connection.call(api.revertPolicyShadow, { id: status.id, reason: options.reason });
      process.stdout.write('Nothing is tried any more.\n');
    }),
  );
}

interface Order<O> {
  readonly connection: OperatorConnection;
  readonly status: wire.PolicyShadow;
  readonly options: O;
}

/** What is done to just the candidate that was looked at. */
async function ordering<O extends ChangingOptions>(
  options: O,
  act: (order: Order<O>) => Promise<void>,
): Promise<void> {
  const connection = connectOperator(options);
  try {
    const status = await ask(connection);
    if (!status)
      throw new CitadelError('NotFound', 'nothing is tried: citadel policy apply --shadow FILE begins it');
    await act({ connection, status, options });
  } finally {
    connection.close();
  }
}

async function ask(connection: OperatorConnection): Promise<wire.PolicyShadow | undefined> {
  return (await connection.call(api.getPolicyShadow, {})).shadow;
}

/** @throws CitadelError where others changed the policies under the candidate */
async function refuseChanged(connection: OperatorConnection, { base, revision }: wire.PolicyShadow) {
  if (base === revision) return;
  const changes = await changesSince(connection, Number(base));
  tell(`The policies have been changed since revision ${base}, for which the candidate was made:`);
  process.stderr.write(`\n${changesText(changes)}\n`);
  throw new CitadelError(
    'FailedPrecondition',
    'nothing was done; where your change is still right, take the candidate back and try it anew',
  );
}

function objectLines({ versions }: wire.PolicyShadow, what: string): string {
  return versions
    .map(({ key, text }) =>
      printable(
        `  ${key ? `${key.kind}/${key.namespace}/${key.name}` : ''} ${text === '' ? 'is removed, where this ' : ''}${what}`,
      ),
    )
    .join('\n');
}
