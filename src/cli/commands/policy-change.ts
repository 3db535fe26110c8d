import { formatPolicyProblem, isPolicyKind, type PolicyProblem } from '../../domain/policy/index.ts';
import * as wire from '../../gen/citadel/v1/operator.ts';
import { CitadelError, isCitadelError } from '../../kernel/index.ts';
import { confirm } from '../confirm.ts';
import { type ConnectionOptions, connectOperator, type OperatorConnection } from '../connection.ts';
import { ExitRequest, exitCodes } from '../exit-codes.ts';
import { type OutputFormat, printable, printValue } from '../output.ts';
import { effectOfChange, effectOfOthers, type PolicyChangeEffect } from '../policy-effect.ts';
import { keyText } from '../policy-keys.ts';
import { changesSince, changesText } from '../stored-policies.ts';
import { comparisonText } from './policy-diff-text.ts';

export interface ChangingOptions extends ConnectionOptions {
  readonly yes?: boolean;
  readonly reason: string;
  readonly output?: OutputFormat;
}

type Change = Pick<wire.ApplyPoliciesRequest, 'texts' | 'remove'> &
  Partial<Pick<wire.ApplyPoliciesRequest, 'restore' | 'shadow'>>;

/**
 * Shows what a change would do, and does just that. Somebody else's change in between makes it fail, and is told.
 * @param from the revision that the author had before them; absent: that which is there
 */
export async function changePolicies(options: ChangingOptions, what: Change, from?: number): Promise<void> {
  const connection = connectOperator(options);
  const { output = 'table', reason, yes = false } = options;
  const call = (more: { readonly dryRun: boolean; readonly expectedRevision: bigint }) =>
    applyOnce(connection, { restore: undefined, shadow: false, ...what, reason, ...more });
  const others = { connection, options };
  try {
    const plan = await call({ dryRun: true, expectedRevision: 0n });
    if (from !== undefined) await refuseChanged(others, from, Number(plan.revision));
    for (const warning of plan.warnings) tell(`warning: ${problemText(warning)}`);
    if (plan.effects.length === 0 && !what.restore)
      throw new CitadelError('OutOfRange', 'there is no policy in what was given; nothing was done');
    const effects = plan.effects.filter(({ kind }) => kind !== wire.PolicyEffect_Kind.KIND_UNCHANGED);
    refuseShadowed(effects);
    const effect = effects.length === 0 ? undefined : await effectOfChange(options, connection, what);
    const print = (revision: bigint, applied: boolean) => {
      if (output !== 'table') printValue(documentOf({ ...plan, revision }, effect, applied), output);
      else if (effects.length === 0) process.stdout.write('Nothing changes: these policies hold already.\n');
      else process.stdout.write(doneText(effects.length, revision, what.shadow === true));
    };
    if (!effect) {
      print(plan.revision, false);
      return;
    }
    if (output === 'table') {
      const lines = effects.map(({ key, kind }) => printable(`  ${effectNames[kind]} ${keyText(key)}`));
      if (what.shadow) lines.push('Nothing of it is enforced: it is tried beside what holds.');
      await confirm(`${lines.join('\n')}\n\n${effectText(effect).trimEnd()}\n`, yes);
    } else if (!yes) {
      print(plan.revision, false);
      tell('Nothing was done; add --yes to do it.');
      throw new ExitRequest(exitCodes.warning);
    }
    const done = await call({ dryRun: false, expectedRevision: plan.revision }).catch(
      async (error: unknown) => {
        if (!isCitadelError(error, 'Aborted')) throw error;
        if (from === undefined) await tellChanged(others, Number(plan.revision));
        else await refuse(others, from);
        throw error;
      },
    );
    print(done.revision, true);
  } finally {
    connection.close();
  }
}

function doneText(count: number, revision: bigint, isTried: boolean): string {
  const changed = `${count} ${count === 1 ? 'policy' : 'policies'}`;
  return isTried
    ? `A candidate of ${changed} is tried beside revision ${revision}; citadel policy shadow status says what it would change.\n`
    : `Revision ${revision}: ${changed} changed.\n`;
}

function effectText({ comparison, unknown }: PolicyChangeEffect): string {
  return comparison
    ? comparisonText(comparison, true)
    : printable(`warning: what it decides otherwise cannot be told: ${unknown}`);
}

/** For programs. */
function documentOf(
  { effects, warnings, revision }: wire.ApplyPoliciesResponse,
  effect: PolicyChangeEffect | undefined,
  applied: boolean,
) {
  return {
    applied,
    revision,
    effects: effects.map(({ key, kind }) => ({ policy: keyText(key), effect: effectNames[kind] })),
    warnings: warnings.map(problemText),
    ...effect,
  };
}

interface Asking {
  readonly connection: OperatorConnection;
  readonly options: ConnectionOptions;
}

/** @throws ExitRequest where others changed the policies under the author */
async function refuseChanged(asking: Asking, from: number, present: number): Promise<void> {
  if (from === present) return;
  if (from > present)
    throw new CitadelError('OutOfRange', `there is no revision ${from} yet; the last one is ${present}`);
  await refuse(asking, from);
}

async function refuse(asking: Asking, from: number): Promise<never> {
  const to = await tellChanged(asking, from);
  tell(`Nothing was done. Where your change is still right, apply it with --from-revision ${to}.`);
  throw new ExitRequest(exitCodes.broken);
}

/** Who changed what, and what that decides otherwise. @returns the revision up to which it was told */
async function tellChanged({ connection, options }: Asking, from: number): Promise<number> {
  const changes = await changesSince(connection, from);
  tell(`The policies have been changed since revision ${from}, from which you went:`);
  process.stderr.write(`\n${changesText(changes)}\n`);
  if (changes.objects.length > 0)
    process.stderr.write(
      `What that changed:\n${effectText(await effectOfOthers(options, changes)).trimEnd()}\n\n`,
    );
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
