import type { Command } from 'commander';
import * as wire from '../../gen/citadel/v1/operator.ts';
import { CitadelError } from '../../kernel/index.ts';
import { pageSizeArgument, withConnection, withOutput, withReason, withYes } from '../options.ts';
import { formatTime, printRows, tellNextPage } from '../output.ts';
import { readPolicyFiles } from '../policy-files.ts';
import { keyText, parseKey, policyKeyHelp } from '../policy-keys.ts';
import { markedRevision, revisionArgument } from '../stored-policies.ts';
import { type ChangingOptions, changePolicies, problemText, tell } from './policy-change.ts';
import { addPolicyCheck } from './policy-check.ts';
import { addDenials } from './policy-denials.ts';
import { addDiff } from './policy-diff.ts';
import { addExplain } from './policy-explain.ts';
import { addLint } from './policy-lint.ts';
import { addPolicyLanguageServer } from './policy-lsp.ts';
import { addRecords } from './policy-records.ts';
import { addReplay } from './policy-replay.ts';
import { addRollback } from './policy-rollback.ts';
import { addShadow } from './policy-shadow.ts';
import { addShow } from './policy-show.ts';
import { addSuggest } from './policy-suggest.ts';
import { addPolicyTest } from './policy-test.ts';
import { addFormat, policyFilesHelp } from './policy-text.ts';
import { addWhat, addWho } from './policy-who.ts';
import { addWorld } from './policy-world.ts';
import { reading } from './reading.ts';

const api = wire.OperatorServiceService;

/** Adds `citadel policy ...`. */
export function addPolicyCommands(program: Command): void {
  const policy = program.command('policy').description('authorization and authentication policies');
  addLint(policy);
  addFormat(policy);
  addDiff(policy);
  addExplain(policy);
  addApply(policy);
  addRemove(policy);
  addStatus(policy);
  addHistory(policy);
  addShow(policy);
  addRollback(policy);
  addShadow(policy);
  addWorld(policy);
  addWho(policy);
  addWhat(policy);
  addRecords(policy);
  addDenials(policy);
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

interface ApplyOptions extends ChangingOptions {
  readonly fromRevision?: number;
  readonly shadow?: boolean;
}

function addApply(policy: Command): void {
  const command = policy
    .command('apply')
    .description('keep the policies of files here: what they say holds from then on')
    .argument('<file...>', policyFilesHelp)
    .option(
      '--from-revision <revision>',
      'what you had before you: a change by others since then is told, and nothing is done (default: what the first line of a file says, as policy show wrote it)',
      revisionArgument,
    );
  command.option('--shadow', 'try it beside what holds, on the proxies themselves; it decides nothing');
  withOutput(withConnection(withYes(withReason(command)))).action(async () => {
    const { files, unreadable } = readPolicyFiles(command.args);
    if (unreadable.length > 0) throw new CitadelError('FailedPrecondition', unreadable.join('\n'));
    const texts = files.map(({ source, text }) => ({ source, text }));
    const options = command.opts<ApplyOptions>();
    const marked = texts.flatMap(({ text }) => markedRevision(text) ?? []);
    const from = options.fromRevision ?? (marked.length === 0 ? undefined : Math.min(...marked));
    await changePolicies(options, { texts, remove: [], shadow: options.shadow ?? false }, from);
  });
}

function addRemove(policy: Command): void {
  const command = policy
    .command('remove')
    .description('take policies away that are kept here')
    .argument('<policy...>', policyKeyHelp);
  withConnection(withYes(withReason(command))).action(async () => {
    await changePolicies(command.opts<ChangingOptions>(), { texts: [], remove: command.args.map(parseKey) });
  });
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
