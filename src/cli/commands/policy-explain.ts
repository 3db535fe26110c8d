import { type Command, Option } from 'commander';
import {
  alikeCallees,
  type CallExplanation,
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
import { loadWorld, type WorldOptions, withWorld } from '../policy-world.ts';
import { type CallOptions, givenCall, withCall } from './policy-explain-call.ts';
import { readCandidates } from './policy-explain-files.ts';
import { explanationText } from './policy-explain-text.ts';
import { policyFilesHelp } from './policy-text.ts';

interface ExplainOptions extends WorldOptions, OutputOptions, CallOptions {
  readonly from?: string;
  readonly to?: string;
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
    .requiredOption(
      '--from <caller>',
      'a SPIFFE ID, NAMESPACE/SERVICE-ACCOUNT, a workload’s id, or plaintext',
    )
    .requiredOption('--to <callee>', 'a service or a workload, as shop/orders:80');
  withCall(command).addOption(
    new Option('--expect <verdict>', 'exit code 1 where it is not this one').choices(['allowed', 'denied']),
  );
  withOutput(withWorld(command)).action(async () => {
    const options = command.opts<ExplainOptions>();
    const candidates = readCandidates(command.args, options.registry);
    const world = candidates.applyTo(await loadWorld(options));
    const { from = '', to = '' } = options;
    const callees = onlyGroup(world, to);
    const explanation = explainCall({
      world,
      caller: callerOf(world, from),
      callees,
      call: givenCall(options, world),
      now: new Date(),
      locate: candidates.locate,
    });
    print(explanation, options);
  });
}

function print(explanation: CallExplanation, { output, expect, method, path }: ExplainOptions): void {
  if (output === 'table') process.stdout.write(explanationText(explanation, { method, path }));
  else printRecord({ ...explanation }, output);
  const verdict = verdicts[explanation.verdict];
  if (expect !== undefined && verdict !== expect) throw new ExitRequest(exitCodes.warning);
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
