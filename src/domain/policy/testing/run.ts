import { isCitadelError } from '../../../kernel/index.ts';
import {
  alikeCallees,
  type CalleeGroup,
  calleesOf,
  callerOf,
  type Caller as FoundCaller,
} from '../explain/index.ts';
import type { PolicyWorld } from '../world/index.ts';
import {
  describeCaller,
  describeDecider,
  type ExpectedDecider,
  type PolicyTest,
  type TestCall,
  type TestCase,
} from './model.ts';
import { type Asked, type Outcome, outcomeOf } from './outcome.ts';

/** What became of one case. */
export interface CaseResult {
  readonly test: string;
  readonly name: string;
  readonly source: string;
  readonly line: number;
  /** How many calls it makes, one for each kind of callee that they may arrive at. */
  readonly calls: number;
  /** Why it fails, a line for each call that does; empty where it passes. */
  readonly failures: readonly string[];
}

export interface TestRun {
  readonly cases: readonly CaseResult[];
  /** What was asked of policies, for the coverage. */
  readonly asked: readonly Asked[];
  readonly made: readonly MadeCall[];
}

/** One call that was decided, for who decides it once more. */
export interface MadeCall {
  readonly result: CaseResult;
  readonly call: TestCall;
  readonly callees: CalleeGroup;
  readonly outcome: Outcome;
  /** For people. */
  readonly description: string;
}

/** Some failing calls of a case say what all of them would. */
const mostFailures = 5;

/** Runs a test in a world that has its policies. @param now for the times in tokens */
export function runPolicyTest(test: PolicyTest, world: PolicyWorld, now: Date): TestRun {
  const asked: Asked[] = [];
  const made: MadeCall[] = [];
  const find = finder(world);
  const cases = test.cases.map((each): CaseResult => {
    const failures: string[] = [];
    let calls = 0;
    const own: Omit<MadeCall, 'result'>[] = [];
    for (const call of each.calls) {
      const found = find(call);
      if (typeof found === 'string') {
        failures.push(found);
        break;
      }
      for (const callees of found.callees) {
        calls++;
        const outcome = outcomeOf(call, { world, caller: found.caller, callees, now });
        asked.push(outcome.asked);
        const description = describeCall(call, callees);
        own.push({ call, callees, outcome, description });
        const fault = faultOf(each, outcome);
        if (fault !== undefined) failures.push(`${description}: ${fault}`);
      }
    }
    const result = {
      test: test.name,
      name: each.name,
      source: test.source,
      line: each.place.line,
      calls,
      failures:
        failures.length > mostFailures
          ? [...failures.slice(0, mostFailures), `and ${failures.length - mostFailures} more`]
          : failures,
    };
    made.push(...own.map((one) => ({ ...one, result })));
    return result;
  });
  return { cases, asked, made };
}

interface Found {
  readonly caller: FoundCaller;
  readonly callees: readonly CalleeGroup[];
}

/** Finds who calls whom, each name once; or says why there is nobody. */
function finder(world: PolicyWorld): (call: TestCall) => Found | string {
  const callers = new Map<string, FoundCaller>();
  const callees = new Map<string, readonly CalleeGroup[]>();
  return ({ from, to }) => {
    const who = describeCaller(from);
    const whom = `${to.namespace}/${to.name}${to.port === undefined ? '' : `:${to.port}`}`;
    try {
      const caller = callers.get(who) ?? callerOf(world, who);
      callers.set(who, caller);
      const found = callees.get(whom) ?? alikeCallees(world, calleesOf(world, whom));
      callees.set(whom, found);
      return { caller, callees: found };
    } catch (error) {
      if (isCitadelError(error)) return error.message;
      throw error;
    }
  };
}

/** In what an outcome is other than a case expects; undefined where it is not. */
function faultOf(
  { expect, by }: Pick<TestCase, 'expect' | 'by'>,
  { outcome, by: decider, at, reason }: Outcome,
): string | undefined {
  if (outcome === 'open') return `expected ${expect}, but it ${reason}`;
  const asExpected = expect === 'denied' ? outcome !== 'allowed' : outcome === expect;
  const where = at === undefined ? '' : ` (${at})`;
  const told = decider === 'nothing' ? reason : `by ${describeDecider(decider)}${where}: ${reason}`;
  if (!asExpected)
    return `expected ${expect}, but it is ${outcome} ${decider === 'nothing' ? '- ' : ''}${told}`;
  if (by === undefined || isDecider(by, decider)) return undefined;
  return `${outcome} as expected, but not by ${describeDecider(by)}: ${told}`;
}

function isDecider(expected: ExpectedDecider, actual: ExpectedDecider): boolean {
  if (expected === 'nothing' || actual === 'nothing') return expected === actual;
  return (
    expected.kind === actual.kind &&
    expected.namespace === actual.namespace &&
    expected.name === actual.name &&
    (expected.rule === undefined || expected.rule === actual.rule)
  );
}

function describeCall(
  call: TestCall,
  { members: [{ workload, port }, ...others], protocol }: CalleeGroup,
): string {
  const { method = 'a request', path } = call;
  const what =
    protocol === 'tcp' ? 'a connection' : [method, ...(path === undefined ? [] : [path])].join(' ');
  const more = others.length === 0 ? '' : ` and ${others.length} alike`;
  return `${what} from ${describeCaller(call.from)} to ${workload.namespace}/${workload.name}:${port}${more}`;
}
