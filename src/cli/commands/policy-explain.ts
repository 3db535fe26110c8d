import { type Command, Option } from 'commander';
import {
  alikeCallees,
  type CalleeGroup,
  calleesOf,
  callerOf,
  explainCall,
  type PolicyWorld,
} from '../../domain/policy/index.ts';
import { CitadelError } from '../../kernel/index.ts';
import { ExitRequest, exitCodes } from '../exit-codes.ts';
import { type OutputOptions, withOutput } from '../options.ts';
import { printRecord } from '../output.ts';
import { type Candidates, type RemovalOptions, readCandidates, withRemoval } from '../policy-candidates.ts';
import { loadWorld, type WorldOptions, withWorld } from '../policy-world.ts';
import { type CallOptions, givenCall, recordedOptions, withCall } from './policy-explain-call.ts';
import { type Explained, explainDenial } from './policy-explain-denial.ts';
import { explanationText } from './policy-explain-text.ts';
import { policyFilesHelp } from './policy-text.ts';

interface ExplainOptions extends WorldOptions, OutputOptions, CallOptions, RemovalOptions {
  readonly from?: string;
  readonly to?: string;
  readonly denial?: string;
  readonly expect?: 'allowed' | 'denied';
}

/** Adds `citadel policy explain`. */
export function addExplain(policy: Command): void {
  const command = policy
    .command('explain')
    .description('what becomes of a call, by which policy, rule and entry, and what the others missed by')
    .argument(
      '[file...]',
      `policies in the place of those of their names, or beside the others: ${policyFilesHelp}`,
    )
    .option('--from <caller>', 'a SPIFFE ID, NAMESPACE/SERVICE-ACCOUNT, a workload’s id, or plaintext')
    .option('--to <callee>', 'a service or a workload, as shop/orders:80')
    .addOption(
      new Option(
        '--denial <id>',
        'a call that was denied, by its response header x-citadel-denial; asks the server for what its proxy told, to which --header, --jwt, --custom and --complete add',
      ).conflicts(['from', 'to', ...recordedOptions]),
    );
  withCall(withRemoval(command)).addOption(
    new Option('--expect <verdict>', 'exit code 1 where it is not this one').choices(['allowed', 'denied']),
  );
  withOutput(withWorld(command)).action(async () => {
    const options = command.opts<ExplainOptions>();
    const { denial, output, expect, from, to } = options;
    if (denial === undefined && (from === undefined || to === undefined))
      throw new CitadelError(
        'OutOfRange',
        'say who calls whom: --from and --to, or --denial with the name of a denial',
      );
    const candidates = readCandidates(command.args, options);
    const { explanation, text, record } =
      denial === undefined
        ? explainGiven(options, await loadWorld(options), candidates)
        : await explainDenial(denial, options, candidates);
    if (output === 'table') process.stdout.write(text);
    else printRecord(record, output);
    const verdict = explanation && verdicts[explanation.verdict];
    if (expect !== undefined && verdict !== expect) throw new ExitRequest(exitCodes.warning);
  });
}

function explainGiven(options: ExplainOptions, live: PolicyWorld, candidates: Candidates): Explained {
  const { from = '', to = '', method, path } = options;
  const world = candidates.applyTo(live);
  const explanation = explainCall({
    world,
    caller: callerOf(world, from),
    callees: onlyGroup(world, to),
    call: givenCall(options, world),
    now: new Date(),
    locate: candidates.locate,
  });
  return { explanation, text: explanationText(explanation, { method, path }), record: { ...explanation } };
}

const verdicts = { allow: 'allowed', deny: 'denied', depends: 'open' } as const;

/** @throws CitadelError OutOfRange where it matters which of several is called */
function onlyGroup(world: PolicyWorld, to: string): CalleeGroup {
  const [group, ...others] = alikeCallees(world, calleesOf(world, to));
  if (group && others.length === 0) return group;
  const names = [group, ...others].flatMap((each) => each?.members.slice(0, 3) ?? []);
  throw new CitadelError(
    'OutOfRange',
    `behind ${to} stand workloads under different policies; name one: ${names.map(({ workload, port }) => `${workload.id}:${port}`).join(', ')}`,
  );
}
