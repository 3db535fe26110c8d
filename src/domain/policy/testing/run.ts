import type { PolicyWorld } from '../world/index.ts';
import {
  describeCaller,
  describeDecider,
  type ExpectedDecider,
  type PolicyTest,
  type TestCall,
  type TestCase,
} from './model.ts';
import { type Asked, type Callee, type Outcome, outcomeOf } from './outcome.ts';
import { type TestedWorld, testedWorld } from './tested-world.ts';

/** What became of one case. */
export interface CaseResult {
  readonly test: string;
  readonly name: string;
  readonly source: string;
  readonly line: number;
  /** How many calls it makes, one for each callee that they may arrive at. */
  readonly calls: number;
  /** Why it fails, a line for each call that does; empty where it passes. */
  readonly failures: readonly string[];
}

export interface TestRun {
  readonly cases: readonly CaseResult[];
  /** What was asked of policies, for the coverage. */
  readonly asked: readonly Asked[];
}

/** A call at a callee, as somebody decides it: by the policies' own reading, or by a proxy. */
export type Decider = (call: TestCall, callee: Callee, tested: TestedWorld) => Outcome;

/** Some failing calls of a case say what all of them would. */
const mostFailures = 5;

/** Runs a test in a world that has its policies. @param now milliseconds, for the times in tokens */
export function runPolicyTest(test: PolicyTest, world: PolicyWorld, now: number): TestRun {
  const tested = testedWorld(world);
  const asked: Asked[] = [];
  const decider: Decider = (call, callee) => {
    const outcome = outcomeOf(call, callee, tested, now);
    if (outcome.asked) asked.push(outcome.asked);
    return outcome;
  };
  const cases = test.cases.map((each) => runCase(test, each, tested, decider));
  return { cases, asked };
}

function runCase(test: PolicyTest, each: TestCase, tested: TestedWorld, decider: Decider): CaseResult {
  const failures: string[] = [];
  let calls = 0;
  for (const call of each.calls) {
    const callees = tested.calleesOf(call.to);
    if (typeof callees === 'string') {
      failures.push(callees);
      break;
    }
    for (const callee of callees) {
      calls++;
      const fault = faultOf(each, decider(call, callee, tested));
      if (fault !== undefined) failures.push(`${describeCall(call, callee)}: ${fault}`);
    }
  }
  return {
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
}

/** In what an outcome is other than a case expects; undefined where it is not. */
function faultOf(
  { expect, by }: Pick<TestCase, 'expect' | 'by'>,
  { outcome, by: decider, at, reason, undetermined }: Outcome,
): string | undefined {
  if (undetermined) return reason;
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

function describeCall(call: TestCall, { workload, port, tcp }: Callee): string {
  const what = tcp ? 'a connection' : `${call.method} ${call.path}`;
  return `${what} from ${describeCaller(call.from)} to ${workload.namespace}/${workload.name}:${port}`;
}
