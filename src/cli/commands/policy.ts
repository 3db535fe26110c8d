import type { Command } from 'commander';
import {
  formatPolicyProblem,
  isPolicyKind,
  type PolicyProblem,
  policyKinds,
} from '../../domain/policy/index.ts';
import * as wire from '../../gen/citadel/v1/operator.ts';
import { CitadelError } from '../../kernel/index.ts';
import { confirm } from '../confirm.ts';
import { type ConnectionOptions, connectOperator, type OperatorConnection } from '../connection.ts';
import { ExitRequest, exitCodes } from '../exit-codes.ts';
import { pageSizeArgument, withConnection, withReason, withYes } from '../options.ts';
import { formatTime, printable, printRows, tellNextPage } from '../output.ts';
import { readPolicyFiles } from '../policy-files.ts';
import { addPolicyCheck } from './policy-check.ts';
import { addDiff } from './policy-diff.ts';
import { addExplain } from './policy-explain.ts';
import { addPolicyLanguageServer } from './policy-lsp.ts';
import { addRecords } from './policy-records.ts';
import { addReplay } from './policy-replay.ts';
import { addSuggest } from './policy-suggest.ts';
import { addPolicyTest } from './policy-test.ts';
import { addTextCommands, policyFilesHelp } from './policy-text.ts';
import { addWhat, addWho } from './policy-who.ts';
import { addWorld } from './policy-world.ts';
import { reading } from './reading.ts';

const api = wire.OperatorServiceService;

/** Adds `citadel policy ...`. */
export function addPolicyCommands(program: Command): void {
  const policy = program.command('policy').description('authorization and authentication policies');
  addTextCommands(policy);
  addDiff(policy);
  addExplain(policy);
  addApply(policy);
  addRemove(policy);
  addStatus(policy);
  addHistory(policy);
  addWorld(policy);
  addWho(policy);
  addWhat(policy);
  addRecords(policy);
  addReplay(policy);
  addPolicyTest(policy);
  addSuggest(policy);
  addPolicyLanguageServer(policy);
  addPolicyCheck(policy);
}

function addStatus(policy: Command): void {
  const command = policy
    .command('status')
    .description('what holds, from every source, and how far it has come')
    .option('--namespace <namespace>', 'of one namespace');
  reading(command, async (connection, { output }) => {
    const { namespace = '' } = command.opts<{ readonly namespace?: string }>();
    const { policies, problems } = await connection.call(api.listPolicies, { namespace });
    printRows(policies, statusColumns, output);
    for (const problem of problems) tell(`warning: ${problem}`);
    if (output !== 'table') return;
    for (const warning of policies.flatMap(({ warnings }) => warnings))
      tell(`warning: ${problemText(warning)}`);
  });
}

function addHistory(policy: Command): void {
  const command = policy
    .command('history')
    .description('who changed what, and why')
    .argument('[policy]', 'of one, as AuthorizationPolicy/shop/orders')
    .option('--limit <count>', 'how many changes', pageSizeArgument, 20)
    .option('--page <token>', 'go on after a page');
  reading(command, async (connection, { output }, name?: string) => {
    const { limit, page = '' } = command.opts<{ readonly limit: number; readonly page?: string }>();
    const { revisions, nextPageToken } = await connection.call(api.listPolicyRevisions, {
      key: name === undefined ? undefined : parseKey(name),
      pageSize: limit,
      pageToken: page,
    });
    printRows(revisions, revisionColumns, output);
    tellNextPage(nextPageToken);
  });
}

interface ChangingOptions extends ConnectionOptions {
  readonly yes?: boolean;
  readonly reason: string;
}

function addApply(policy: Command): void {
  const command = policy
    .command('apply')
    .description('keep the policies of files here: what they say holds from then on')
    .argument('<file...>', policyFilesHelp);
  withConnection(withYes(withReason(command))).action(async () => {
    const { files, unreadable } = readPolicyFiles(command.args);
    if (unreadable.length > 0) throw new CitadelError('FailedPrecondition', unreadable.join('\n'));
    const texts = files.map(({ source, text }) => ({ source, text }));
    await change(command.opts<ChangingOptions>(), { texts, remove: [] });
  });
}

function addRemove(policy: Command): void {
  const command = policy
    .command('remove')
    .description('take policies away that are kept here')
    .argument('<policy...>', 'as AuthorizationPolicy/shop/orders');
  withConnection(withYes(withReason(command))).action(async () => {
    await change(command.opts<ChangingOptions>(), { texts: [], remove: command.args.map(parseKey) });
  });
}

/** Shows what a change would do, and does just that: a change by somebody else in between makes it fail. */
async function change(
  options: ChangingOptions,
  what: Pick<wire.ApplyPoliciesRequest, 'texts' | 'remove'>,
): Promise<void> {
  const connection = connectOperator(options);
  const call = (more: { readonly dryRun: boolean; readonly expectedRevision: bigint }) =>
    applyOnce(connection, { ...what, reason: options.reason, ...more });
  try {
    const plan = await call({ dryRun: true, expectedRevision: 0n });
    for (const warning of plan.warnings) tell(`warning: ${problemText(warning)}`);
    if (plan.effects.length === 0)
      throw new CitadelError('OutOfRange', 'there is no policy in what was given; nothing was done');
    const effects = plan.effects.filter(({ kind }) => kind !== wire.PolicyEffect_Kind.KIND_UNCHANGED);
    if (effects.length === 0) {
      process.stdout.write('Nothing changes: these policies hold already.\n');
      return;
    }
    const shadowed = effects.filter(({ shadowedBy }) => shadowedBy !== '');
    for (const { key, kind, shadowedBy } of shadowed)
      tell(
        `${effectNames[kind]} ${keyText(key)} without effect: the one of this name in ${shadowedBy} counts; change it there, or give this one another name`,
      );
    if (shadowed.length > 0) throw new ExitRequest(exitCodes.broken);
    const lines = effects.map(({ key, kind }) => printable(`  ${effectNames[kind]} ${keyText(key)}`));
    await confirm(lines.join('\n'), options.yes);
    const done = await call({ dryRun: false, expectedRevision: plan.revision });
    process.stdout.write(
      `Revision ${done.revision}: ${effects.length} ${effects.length === 1 ? 'policy' : 'policies'} changed.\n`,
    );
  } finally {
    connection.close();
  }
}

function tell(line: string): void {
  process.stderr.write(`${printable(line)}\n`);
}

async function applyOnce(
  connection: OperatorConnection,
  request: wire.ApplyPoliciesRequest,
): Promise<wire.ApplyPoliciesResponse> {
  const response = await connection.call(api.applyPolicies, request);
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

function problemText({ source, line, column, path, message, mend, object }: wire.PolicyProblem): string {
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

function parseKey(text: string): wire.PolicyKey {
  const [kind = '', namespace = '', name = '', ...more] = text.split('/');
  if (isPolicyKind(kind) && namespace !== '' && name !== '' && more.length === 0)
    return { kind, namespace, name };
  const kinds = policyKinds.join(', ');
  throw new CitadelError(
    'OutOfRange',
    `${text} names no policy; write it as AuthorizationPolicy/shop/orders, with one of ${kinds}`,
  );
}

function keyText(key: wire.PolicyKey | undefined): string {
  return key ? `${key.kind}/${key.namespace}/${key.name}` : '';
}

const statusColumns = [
  { title: 'POLICY', value: ({ key }: wire.Policy) => keyText(key) },
  {
    title: 'SOURCE',
    value: ({ source, line }: wire.Policy) => (line === 0 ? source : `${source}:${line}`),
  },
  { title: 'GENERATION', value: ({ generation }: wire.Policy) => generation.toString() },
  { title: 'WORKLOADS', value: ({ workloads }: wire.Policy) => String(workloads) },
  { title: 'PROXIES', value: proxies },
];

function proxies({ current, pending, refusals }: wire.Policy): string {
  const [first] = refusals;
  const refused = first ? `, ${refusals.length} refuse: ${first.workload}: ${first.error}` : '';
  return `${current} current${pending > 0 ? `, ${pending} pending` : ''}${refused}`;
}

const revisionColumns = [
  { title: 'REVISION', value: ({ revision }: wire.PolicyRevision) => revision.toString() },
  { title: 'AT', value: ({ at }: wire.PolicyRevision) => formatTime(at) },
  { title: 'BY', value: ({ by }: wire.PolicyRevision) => by },
  {
    title: 'POLICIES',
    value: ({ versions }: wire.PolicyRevision) =>
      versions.map(({ key, text }) => `${text === '' ? '-' : ''}${keyText(key)}`).join(' '),
  },
  { title: 'REASON', value: ({ reason }: wire.PolicyRevision) => reason },
];
