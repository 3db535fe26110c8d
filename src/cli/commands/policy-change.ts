import { formatPolicyProblem, isPolicyKind, type PolicyProblem } from '../../domain/policy/index.ts';
import * as wire from '../../gen/citadel/v1/operator.ts';
import { CitadelError, isCitadelError } from '../../kernel/index.ts';
import { confirm } from '../confirm.ts';
import { type ConnectionOptions, connectOperator, type OperatorConnection } from '../connection.ts';
import { ExitRequest, exitCodes } from '../exit-codes.ts';
import { printable } from '../output.ts';
import { keyText } from '../policy-keys.ts';
import { changesSince, changesText } from '../stored-policies.ts';

export interface ChangingOptions extends ConnectionOptions {
  readonly yes?: boolean;
  readonly reason: string;
}

type Change = Pick<wire.ApplyPoliciesRequest, 'texts' | 'remove'> &
  Partial<Pick<wire.ApplyPoliciesRequest, 'restore' | 'shadow'>>;

/**
 * Shows what a change would do, and does just that. Somebody else's change in between makes it fail, and is told.
 * @param from the revision that the author had before them; absent: that which is there
 */
export async function changePolicies(options: ChangingOptions, what: Change, from?: number): Promise<void> {
  const connection = connectOperator(options);
  const call = (more: { readonly dryRun: boolean; readonly expectedRevision: bigint }) =>
    applyOnce(connection, { restore: undefined, shadow: false, ...what, reason: options.reason, ...more });
  try {
    const plan = await call({ dryRun: true, expectedRevision: 0n });
    if (from !== undefined) await refuseChanged(connection, from, Number(plan.revision));
    for (const warning of plan.warnings) tell(`warning: ${problemText(warning)}`);
    if (plan.effects.length === 0 && !what.restore)
      throw new CitadelError('OutOfRange', 'there is no policy in what was given; nothing was done');
    const effects = plan.effects.filter(({ kind }) => kind !== wire.PolicyEffect_Kind.KIND_UNCHANGED);
    if (effects.length === 0) {
      process.stdout.write('Nothing changes: these policies hold already.\n');
      return;
    }
    refuseShadowed(effects);
    const lines = effects.map(({ key, kind }) => printable(`  ${effectNames[kind]} ${keyText(key)}`));
    if (what.shadow) lines.push('Nothing of it is enforced: it is tried beside what holds.');
    await confirm(lines.join('\n'), options.yes);
    const done = await call({ dryRun: false, expectedRevision: plan.revision }).catch(
      async (error: unknown) => {
        if (!isCitadelError(error, 'Aborted')) throw error;
        if (from === undefined) await tellChanged(connection, Number(plan.revision));
        else await refuse(connection, from);
        throw error;
      },
    );
    const changed = `${effects.length} ${effects.length === 1 ? 'policy' : 'policies'}`;
    process.stdout.write(
      what.shadow
        ? `A candidate of ${changed} is tried beside revision ${done.revision}; citadel policy shadow status says what it would change.\n`
        : `Revision ${done.revision}: ${changed} changed.\n`,
    );
  } finally {
    connection.close();
  }
}

/** @throws ExitRequest where others changed the policies under the author */
async function refuseChanged(connection: OperatorConnection, from: number, present: number): Promise<void> {
  if (from === present) return;
  if (from > present)
    throw new CitadelError('OutOfRange', `there is no revision ${from} yet; the last one is ${present}`);
  await refuse(connection, from);
}

async function refuse(connection: OperatorConnection, from: number): Promise<never> {
  const to = await tellChanged(connection, from);
  tell(`Nothing was done. Where your change is still right, apply it with --from-revision ${to}.`);
  throw new ExitRequest(exitCodes.broken);
}

/** @returns the revision up to which it was told */
async function tellChanged(connection: OperatorConnection, from: number): Promise<number> {
  const changes = await changesSince(connection, from);
  tell(`The policies have been changed since revision ${from}, from which you went:`);
  process.stderr.write(`\n${changesText(changes)}\n`);
  return changes.to;
}

/** @throws ExitRequest for what would have no effect */
function refuseShadowed(effects: readonly wire.PolicyEffect[]): void {
  const shadowed = effects.filter(({ shadowedBy }) => shadowedBy !== '');
  for (const { key, kind, shadowedBy } of shadowed)
    tell(
      `${effectNames[kind]} ${keyText(key)} without effect: the one of this name in ${shadowedBy} counts; change it there, or give this one another name`,
    );
  if (shadowed.length > 0) throw new ExitRequest(exitCodes.broken);
}

/** One line on standard error. */
export function tell(line: string): void {
  process.stderr.write(`${printable(line)}\n`);
}

async function applyOnce(
  connection: OperatorConnection,
  request: wire.ApplyPoliciesRequest,
): Promise<wire.ApplyPoliciesResponse> {
  const response = await connection.call(wire.OperatorServiceService.applyPolicies, request);
  for (const problem of response.problems) tell(problemText(problem));
  if (response.problems.length > 0) throw new ExitRequest(exitCodes.broken);
  return response;
}

const effectNames: Readonly<Record<wire.PolicyEffect_Kind, string>> = {
  [wire.PolicyEffect_Kind.KIND_UNSPECIFIED]: 'changes',
  [wire.PolicyEffect_Kind.KIND_CREATE]: 'creates',
  [wire.PolicyEffect_Kind.KIND_UPDATE]: 'updates',
  [wire.PolicyEffect_Kind.KIND_UNCHANGED]: 'leaves',
  [wire.PolicyEffect_Kind.KIND_REMOVE]: 'removes',
};

export function problemText({
  source,
  line,
  column,
  path,
  message,
  mend,
  object,
}: wire.PolicyProblem): string {
  const problem: PolicyProblem = {
    source,
    path,
    message,
    ...(line === 0 ? {} : { line }),
    ...(column === 0 ? {} : { column }),
    ...(mend === '' ? {} : { mend }),
    ...(object && isPolicyKind(object.kind) ? { object: { ...object, kind: object.kind } } : {}),
  };
  return formatPolicyProblem(problem);
}
