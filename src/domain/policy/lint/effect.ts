import { once } from '../../../kernel/index.ts';
import type { Workload } from '../../mesh/index.ts';
import { allowedRegions, compareWorlds } from '../exact/index.ts';
import type { AuthorizationPolicy, AuthorizationRule, Policy } from '../model.ts';
import { policyKey } from '../read/index.ts';
import type { PolicyWorld } from '../world/index.ts';
import { authorizationsOf, type LintContext, named, nameOf, type Remark } from './context.ts';
import { valuesOf } from './values.ts';

/**
 * Rules and policies without which every request is decided alike, proven by the exact engine; and why: nothing can match
 * them, a DENY takes all that they allow, or others say the same together. Those that are told may be removed all at once.
 */
export function withoutEffect(context: LintContext): readonly Remark[] {
  const asking = new Asking(context.comparisons);
  const remarks: Remark[] = [];
  const gone: Gone = new Map();
  // The later of two that say the same goes, and what went is not there for the others.
  for (const policy of authorizationsOf(context.policies).toReversed()) {
    if (policy.action === 'AUDIT' || policy.dryRun) continue;
    remarks.push(...ofPolicy(policy, context, asking, gone));
    if (asking.isOver) {
      remarks.push(notProven(policy));
      break;
    }
  }
  return remarks;
}

/** Asks the engine, as long as there is work left: each question costs as much as there is in its policies. */
class Asking {
  readonly #limits: { readonly steps: number; readonly stepsOfGroup: number; readonly regions: number };
  #left: number;

  constructor(comparisons: number) {
    // What a comparison of two values takes, a hundred times, is about what a value costs that the engine reads.
    this.#left = comparisons / 100;
    const steps = Math.ceil(comparisons / 20);
    this.#limits = { steps, stepsOfGroup: steps, regions: 1 };
  }

  /** Whether a question went unanswered for want of it. */
  isOver = false;

  /** Whether there is work left for a question of so many policies. */
  mayAsk(policies: number): boolean {
    if (this.#left < policies) this.isOver = true;
    return !this.isOver;
  }

  /** Whether both decide every request alike; false also where that is too much to say. */
  isSame(before: PolicyWorld, after: PolicyWorld): boolean {
    return this.#pays(before) && compareWorlds(before, after, this.#limits).outcome === 'same';
  }

  /** Whether a world lets nothing in at all. */
  isClosed(world: PolicyWorld): boolean {
    return [...world.workloads.values()].every(({ id, ports }) =>
      ports.every(({ port }) => {
        if (!this.#pays(world)) return false;
        const reach = allowedRegions(world, { workload: id, port }, this.#limits);
        return reach.complete && reach.regions.length === 0;
      }),
    );
  }

  #pays({ policies }: PolicyWorld): boolean {
    this.#left -= policies.reduce((sum, policy) => sum + sizeOf(policy), 1);
    if (this.#left < 0) this.isOver = true;
    return !this.isOver;
  }
}

const sizeOf = once((policy: Policy) =>
  policy.kind === 'AuthorizationPolicy' ? 1 + policy.rules.length + valuesOf(policy).length : 1,
);

/** What has been found to be without effect so far: policies as they are without it; undefined of those that are it whole. */
type Gone = Map<Policy, AuthorizationPolicy | undefined>;

function ofPolicy(
  policy: AuthorizationPolicy,
  context: LintContext,
  asking: Asking,
  gone: Gone,
): readonly Remark[] {
  const { byNamespace, rootNamespace } = context.index;
  const near = [policy.meta.namespace, rootNamespace].map((name) => byNamespace.get(name)?.length ?? 0);
  if (!asking.mayAsk(Math.max(...near))) return [];
  const world = worldAround(policy, context, gone);
  if (!world) return [];
  const changedTo = (before: AuthorizationPolicy, after?: AuthorizationPolicy): PolicyWorld => ({
    ...world,
    policies: world.policies.flatMap((each) => (each === before ? (after ?? []) : each)),
  });
  const places = [...world.workloads.values()].map(nameOf);
  if (!isSayingSo(policy) && asking.isSame(world, changedTo(policy))) {
    gone.set(policy, undefined);
    return [needlessPolicy(policy, places)];
  }
  const remarks: Remark[] = [];
  let left = policy;
  for (const [at, rule] of [...policy.rules.entries()].toReversed()) {
    const fewer = { ...left, rules: left.rules.filter((each) => each !== rule) };
    if (policy.rules.length === 1 || !asking.isSame(changedTo(policy, left), changedTo(policy, fewer)))
      continue;
    left = fewer;
    gone.set(policy, left);
    remarks.push(reasonOf({ policy, at, places }, world, asking));
  }
  return remarks;
}

/** An ALLOW of nobody or of everybody is there to be read, and for workloads and policies to come. */
function isSayingSo({ action, rules }: AuthorizationPolicy): boolean {
  const isEverything = ({ from, to, when }: AuthorizationRule) => from.length + to.length + when.length === 0;
  return action === 'ALLOW' && (rules.length === 0 || rules.some(isEverything));
}

/**
 * Of the workloads that a policy holds for one of each kind, and what holds for them; undefined where there are none, or
 * nothing is enforced.
 */
function worldAround(policy: AuthorizationPolicy, context: LintContext, gone: Gone): PolicyWorld | undefined {
  const kinds = new Map<string, Workload>();
  const numbers = new Map<Policy, number>();
  const numberOf = (each: Policy) => {
    const number = numbers.get(each) ?? numbers.size;
    numbers.set(each, number);
    return number;
  };
  for (const workload of context.workloadsOf(policy)) {
    if (workload.proxy === 'none') continue;
    const holding = context.policiesOf(workload);
    const ports = workload.ports.map(({ port, protocol }) => `${port} ${protocol}`).toSorted();
    const key = JSON.stringify([workload.proxy, ports, holding.map(numberOf)]);
    if (kinds.has(key)) continue;
    kinds.set(key, workload);
  }
  if (kinds.size === 0) return undefined;
  const workloads = new Map([...kinds.values()].map((workload) => [workload.id, workload]));
  const services = new Map(
    [...context.registry.services].filter(([, { ports }]) =>
      ports.some(({ endpoints }) => endpoints.some((each) => workloads.has(each.workload ?? ''))),
    ),
  );
  // Who is strict is not known here; where it would matter, a rule more counts as needed.
  return {
    settings: context.registry.settings,
    workloads,
    services,
    policies: [...numbers.keys()].flatMap((each) => (gone.has(each) ? (gone.get(each) ?? []) : each)),
    strict: new Set(),
  };
}

interface Needless {
  readonly policy: AuthorizationPolicy;
  readonly at: number;
  readonly places: readonly string[];
}

/** Why a rule changes nothing. */
function reasonOf({ policy, at, places }: Needless, world: PolicyWorld, asking: Asking): Remark {
  const path = ['spec', 'rules', at];
  const rule = policy.rules[at];
  const alone: AuthorizationPolicy = {
    ...policy,
    action: 'ALLOW',
    provider: undefined,
    rules: rule ? [rule] : [],
  };
  // Without these nobody has a token.
  const authentications = world.policies.filter(({ kind }) => kind === 'RequestAuthentication');
  const only = (...others: readonly Policy[]) => ({
    ...world,
    policies: [alone, ...authentications, ...others],
  });
  const where = `on every port of ${named(places)}`;
  if (asking.isClosed(only()))
    return {
      policy,
      rule: 'rule-without-effect',
      path,
      message: `no request can match all that this rule asks for, ${where}`,
      mend: 'remove it, or take out what contradicts the rest',
    };
  const denying =
    policy.action === 'ALLOW'
      ? authorizationsOf(world.policies).find(
          (each) => each.action === 'DENY' && !each.dryRun && asking.isClosed(only(each)),
        )
      : undefined;
  if (denying)
    return {
      policy,
      rule: 'allow-shadowed-by-deny',
      path,
      message: `all that this rule allows is denied by ${keyOf(denying)}, ${where}`,
      mend: 'remove it, or narrow the DENY',
    };
  return {
    policy,
    rule: 'rule-without-effect',
    path,
    message: `without this rule every request is decided alike, ${where}: other rules say the same together`,
    mend: 'remove it, or narrow the others',
  };
}

function needlessPolicy(policy: AuthorizationPolicy, places: readonly string[]): Remark {
  return {
    policy,
    rule: 'policy-without-effect',
    path: ['spec'],
    message: `without this policy every request is decided alike, on every port of ${named(places)}`,
    mend: 'remove it, unless it is there for what is still to come',
  };
}

function notProven(policy: AuthorizationPolicy): Remark {
  return {
    policy,
    rule: 'effects-not-compared',
    path: ['spec', 'rules'],
    message: 'from here on, rules are too many for it to be proven which of them have an effect',
    mend: 'lint fewer policies at a time to find rules without an effect',
  };
}

function keyOf({ kind, meta }: AuthorizationPolicy): string {
  return policyKey({ kind, namespace: meta.namespace, name: meta.name });
}
