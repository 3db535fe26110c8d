import { CitadelError, compareText } from '../../../kernel/index.ts';
import type { Workload } from '../../mesh/index.ts';
import type { DecisionRecord } from '../../ports/index.ts';
import { formatPolicyObject } from '../format.ts';
import { lintPolicies } from '../lint/index.ts';
import type { LabelSelector, Policy } from '../model.ts';
import { formatPolicyProblem, readPolicies } from '../read/index.ts';
import { calleeFinder, replay } from '../replay/index.ts';
import { indexPolicies, policiesOf } from '../select.ts';
import { type PolicyWorld, withPolicies } from '../world/index.ts';
import {
  defaultSuggestOptions,
  type SuggestedCaller,
  type SuggestedOperation,
  type Suggestion,
  type SuggestOptions,
} from './model.ts';
import { operationsOf } from './operations.ts';
import { LeftOuts, plus, reasonAgainst } from './sort.ts';
import { suggestTarget } from './target.ts';

/** Each may need two rules, of the 512 that a policy may have. */
const mostCallers = 250;

export interface SuggestRequest extends Partial<SuggestOptions> {
  /** A workload or a service, as `<namespace>/<name>`. */
  readonly to: string;
  readonly selector?: LabelSelector | undefined;
  /** Default: `suggested-` and the name in `to`. */
  readonly name?: string | undefined;
}

/**
 * The least policy that lets in what was recorded: callers that proved who they are, with the methods and paths that they
 * called. What it would do to all recorded calls is worked out, and that it denies none of those that it is made of.
 * @throws CitadelError NotFound, FailedPrecondition where there is nobody, or nothing to select by
 */
export function suggest(
  records: readonly DecisionRecord[],
  world: PolicyWorld,
  { to, selector, name, ...given }: SuggestRequest,
): Suggestion {
  const options = { ...defaultSuggestOptions, ...given };
  const target = suggestTarget(world, to, selector);
  const calleeOf = calleeFinder(world.workloads);
  const selected = new Set(target.workloads.map(({ id }) => id));
  const own = records.filter((record) => selected.has(calleeOf(record)?.id ?? ''));
  const leftOut = new LeftOuts();
  const proposed = new Map<string, DecisionRecord[]>();
  for (const record of own) {
    const { caller = '' } = record;
    const reason = reasonAgainst(record, calleeOf(record));
    const known = proposed.get(caller);
    if (reason !== undefined) leftOut.add(reason, record);
    else if (known) known.push(record);
    else proposed.set(caller, [record]);
  }
  const callers = callersOf(proposed, target.workloads, options, leftOut);
  const meta = { namespace: target.namespace, name: name ?? `suggested-${to.split('/').at(-1) ?? ''}` };
  const text = callers.length === 0 ? undefined : policyText(callers, { ...meta, selector: target.selector });
  const policies = text === undefined ? [] : readBack(text);
  const after = withPolicies(world, policies);
  assertAllowed(callers, proposed, world, policies);
  return {
    text,
    ...meta,
    selector: target.selector,
    workloads: [...selected].toSorted(compareText),
    callers,
    leftOut: leftOut.all(),
    besides: allowing(world, target.workloads, meta),
    replay: replay(own, world, after),
    warnings: lintPolicies(after.policies, after, undefined, { subjects: policies }),
  };
}

function callersOf(
  proposed: ReadonlyMap<string, readonly DecisionRecord[]>,
  workloads: readonly Workload[],
  { variety, mostPaths, minimumCalls }: SuggestOptions,
  leftOut: LeftOuts,
): readonly SuggestedCaller[] {
  const ports = new Set(workloads.flatMap((each) => each.ports.map(({ port }) => port)));
  const tcp = (port: number) =>
    isTcp(
      workloads.find((each) => each.ports.some((own) => own.port === port)),
      port,
    );
  const all = [...proposed].map(([caller, records]): SuggestedCaller => {
    const times = records.flatMap(({ first, last }) => [first.getTime(), last.getTime()]);
    const tally = records.reduce(plus, { records: 0, calls: 0 });
    return {
      caller,
      ...tally,
      operations: operationsOf(records, { variety, namePorts: ports.size > 1, isTcp: tcp }),
      isRare: tally.calls < minimumCalls,
      first: new Date(Math.min(...times)),
      last: new Date(Math.max(...times)),
    };
  });
  const bounded = all.filter(({ operations }) => pathCount(operations) <= mostPaths);
  const kept = bounded
    .toSorted((a, b) => b.calls - a.calls || compareText(a.caller, b.caller))
    .slice(0, mostCallers);
  for (const each of all) {
    if (kept.includes(each)) continue;
    const reason = bounded.includes(each) ? 'too-many-callers' : 'too-many-paths';
    for (const record of proposed.get(each.caller) ?? []) leftOut.add(reason, record);
  }
  return kept;
}

function pathCount(operations: readonly SuggestedOperation[]): number {
  return operations.reduce((sum, { paths }) => sum + paths.length, 0);
}

function isTcp(workload: Workload | undefined, port: number): boolean {
  return workload?.ports.find((each) => each.port === port)?.protocol === 'tcp';
}

interface Naming {
  readonly namespace: string;
  readonly name: string;
  readonly selector: LabelSelector;
}

/**
 * Callers that do the same share a rule. Ports of bytes have rules of their own: there a rule that speaks of methods lets
 * nobody in, whatever else it says.
 */
function policyText(callers: readonly SuggestedCaller[], { namespace, name, selector }: Naming): string {
  const rules = new Map<string, { principals: string[]; operations: readonly SuggestedOperation[] }>();
  for (const { caller, operations } of callers) {
    const isBytes = ({ methods }: SuggestedOperation) => methods.length === 0;
    const apart = [operations.filter((each) => !isBytes(each)), operations.filter(isBytes)];
    for (const own of apart.filter(({ length }) => length > 0)) {
      const key = JSON.stringify(own);
      const rule = rules.get(key) ?? { principals: [], operations: own };
      rule.principals.push(caller.slice('spiffe://'.length));
      rules.set(key, rule);
    }
  }
  return formatPolicyObject({
    apiVersion: 'security.istio.io/v1',
    kind: 'AuthorizationPolicy',
    metadata: { name, namespace },
    spec: {
      selector: { matchLabels: selector },
      action: 'ALLOW',
      rules: [...rules.values()].map(({ principals, operations }) => ({
        from: [{ source: { principals: principals.toSorted(compareText) } }],
        ...toOf(operations),
      })),
    },
  });
}

/** An operation that says nothing, of a workload with one port of bytes, is none. */
function toOf(operations: readonly SuggestedOperation[]): object {
  const to = operations
    .map(({ port, methods, paths }) => ({
      ...(port === undefined ? {} : { ports: [String(port)] }),
      ...(methods.length === 0 ? {} : { methods }),
      ...(paths.length === 0 ? {} : { paths }),
    }))
    .filter((operation) => Object.keys(operation).length > 0);
  return to.length === 0 ? {} : { to: to.map((operation) => ({ operation })) };
}

function readBack(text: string): readonly Policy[] {
  const { policies, problems } = readPolicies(text, { source: 'suggested' });
  const [problem] = problems;
  if (problem)
    throw new CitadelError('Internal', `what is suggested is no policy: ${formatPolicyProblem(problem)}`);
  return policies;
}

/** By itself, it must let in each call that it was made of. */
function assertAllowed(
  callers: readonly SuggestedCaller[],
  proposed: ReadonlyMap<string, readonly DecisionRecord[]>,
  world: PolicyWorld,
  policies: readonly Policy[],
): void {
  const alone = { ...world, policies: [...policies], strict: new Set<string>() };
  const records = callers.flatMap(({ caller }) => proposed.get(caller) ?? []);
  const { unchanged } = replay(records, alone, alone);
  if (unchanged.records !== records.length)
    throw new CitadelError('Internal', 'what is suggested denies a call that it was made of');
}

function allowing(
  world: PolicyWorld,
  workloads: readonly Workload[],
  { namespace, name }: Pick<Naming, 'namespace' | 'name'>,
): readonly string[] {
  const index = indexPolicies(world);
  const holding = new Set(workloads.flatMap((workload) => policiesOf(index, workload)));
  return [...holding]
    .filter((each) => each.kind === 'AuthorizationPolicy' && each.action === 'ALLOW' && !each.dryRun)
    .map(({ meta }) => `${meta.namespace}/${meta.name}`)
    .filter((each) => each !== `${namespace}/${name}`)
    .toSorted(compareText);
}
