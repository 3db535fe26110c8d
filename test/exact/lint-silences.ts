import type {
  AuthorizationPolicy,
  AuthorizationRule,
  Policy,
  PolicyWorld,
} from '../../src/domain/policy/index.ts';
import { checkPair, type Fault, type Trials } from './check.ts';
import { shadowsOf } from './lint-shadows.ts';
import { type Told, withoutTold } from './lint-told.ts';
import { Decider, placesOf } from './place.ts';
import { isBeside, isWithin, partsOf, type ToldPart, without } from './rule-parts.ts';
import { believing } from './worlds.ts';

/** Of what nothing is said, and pairs of worlds with it and without it, of which one must differ. */
export interface Silence {
  readonly name: string;
  readonly sides: readonly Side[];
  /** Where these are the same, there is nothing to say. */
  readonly unlessSame?: Side;
}

export type Side = readonly [before: PolicyWorld, after: PolicyWorld];

/**
 * Policies and rules of which lint says nothing, and parts of rules. Each must have an effect in the world as it is, or where
 * what is told is gone: of two alike one is told, and a DENY of what an ALLOW lets in needs that to be there.
 */
export function silencesOf(world: PolicyWorld, told: readonly Told[]): readonly Silence[] {
  const but = (...names: readonly string[]) =>
    withoutTold(
      world,
      told.filter(({ warning: { rule } }) => !names.includes(rule)),
    );
  const worlds = [
    world,
    but(),
    // They may stay for what is refused for their sake, as it can be read in two ways.
    but('covered-rule', 'rule-never-matches'),
    but('allow-shadowed-by-deny'),
  ];
  const held = new Set(placesOf([world]).flatMap((place) => new Decider(world, place).policies));
  return [...held].flatMap((policy) => [
    ...ofPolicy(policy, worlds, told),
    ...policy.rules.flatMap((rule, at) => [
      ...ofParts(policy, rule, at, world, told),
      ...shadowsOf(policy, rule, at, world, told),
    ]),
  ]);
}

function ofPolicy(
  policy: AuthorizationPolicy,
  worlds: readonly PolicyWorld[],
  told: readonly Told[],
): readonly Silence[] {
  if (policy.dryRun || policy.action === 'AUDIT' || isSaidAloud(policy)) return [];
  const own = told.filter((each) => each.policy === policy && each.part.part === undefined);
  if (own.some(({ rule }) => rule === undefined)) return [];
  const silent = [...policy.rules.keys()].filter((at) => !own.some(({ part }) => part.rule === at));
  if (policy.rules.length > 0 && silent.length === 0) return [];
  const name = `${policy.meta.namespace}/${policy.meta.name}`;
  const sidesBy = (isKept: (rule: AuthorizationRule) => boolean | undefined) =>
    worlds.map((side): Side => [side, replaced(side, policy, isKept)]);
  return [
    { name, sides: sidesBy(() => undefined) },
    ...(policy.rules.length < 2 ? [] : silent).map((at) => ({
      name: `rule ${at} of ${name}`,
      sides: sidesBy((rule) => rule !== policy.rules[at]),
    })),
  ];
}

/** By whom a rule is told whole; of its parts nothing is told then. */
const wholeRules = ['covered-rule', 'rule-never-matches', 'allow-shadowed-by-deny'];

function ofParts(
  policy: AuthorizationPolicy,
  rule: AuthorizationRule,
  at: number,
  world: PolicyWorld,
  told: readonly Told[],
): readonly Silence[] {
  const own = told.filter((each) => each.policy === policy && each.part.rule === at);
  if (own.some(({ part, warning }) => part.part === undefined && wholeRules.includes(warning.rule)))
    return [];
  const vain = own.filter(({ warning }) => warning.rule !== 'allow-shadowed-by-deny').map(({ part }) => part);
  const isVain = (part: ToldPart) => vain.some((each) => isWithin(part, each));
  const parts = partsOf(rule);
  // The last one of its kind is what the rule asks for.
  const isLast = (part: ToldPart) => !parts.some((each) => isBeside(each, part) && !isVain(each));
  const silent = parts.filter(
    (part) => !isVain(part) && ((part.list !== undefined && part.value === undefined) || !isLast(part)),
  );
  return silent.map((part) => ({
    name: `${JSON.stringify(part)} of rule ${at} of ${policy.meta.namespace}/${policy.meta.name}`,
    sides: [[], vain].map(
      (gone): Side => [
        alone(policy, without(rule, gone), world),
        alone(policy, without(rule, [...gone, part]), world),
      ],
    ),
  }));
}

/** A world in which all that is decided hangs on one rule, however a port takes connections. */
function alone(policy: AuthorizationPolicy, rule: AuthorizationRule, world: PolicyWorld): PolicyWorld {
  const { action } = policy;
  const deciding = {
    ...policy,
    selector: undefined,
    dryRun: false,
    action: action === 'AUDIT' ? ('DENY' as const) : action,
    provider: action === 'CUSTOM' ? 'nobody' : undefined,
    rules: [rule],
  };
  return { ...anyPort(policy, world), policies: [deciding, believing('root')] };
}

/** Each port that a policy names, as HTTP and as bytes, at no address of which anything is known. */
function anyPort({ meta, rules }: AuthorizationPolicy, world: PolicyWorld): PolicyWorld {
  const [some] = world.workloads.values();
  if (!some) return world;
  const named = rules.flatMap(({ to, when }) => [
    ...to.flatMap(({ ports, notPorts }) => [...ports, ...notPorts]),
    ...when.flatMap(({ key, values, notValues }) =>
      key === 'destination.port' ? [...values, ...notValues] : [],
    ),
  ]);
  const numbers = [...new Set([...named.map(Number), 12_345])];
  const workloads = (['http', 'tcp'] as const).map((protocol) => ({
    ...some,
    id: protocol,
    namespace: meta.namespace,
    addresses: [],
    proxy: 'explicit' as const,
    ports: numbers.map((port) => ({
      port,
      protocol,
      application: { address: '127.0.0.1', port },
    })),
  }));
  return { ...world, workloads: new Map(workloads.map((each) => [each.id, each])) };
}

/** @param isKept undefined: the whole policy goes */
function replaced(
  world: PolicyWorld,
  { kind, meta }: AuthorizationPolicy,
  isKept: (rule: AuthorizationRule) => boolean | undefined,
): PolicyWorld {
  const policies = world.policies.flatMap((each): readonly Policy[] => {
    if (each.kind !== kind || each.meta !== meta) return [each];
    const rules = each.rules.map((rule) => isKept(rule));
    return rules.includes(undefined) || rules.length === 0
      ? []
      : [{ ...each, rules: each.rules.filter((_, at) => rules[at]) }];
  });
  return { ...world, policies };
}

function isSaidAloud({ action, rules }: AuthorizationPolicy): boolean {
  const isEverything = ({ from, to, when }: AuthorizationRule) => from.length + to.length + when.length === 0;
  return action === 'ALLOW' && (rules.length === 0 || rules.some(isEverything));
}

/** The engine must show what hangs on it, and the decision function say so. */
export function silenceFaults({ name, sides, unlessSame }: Silence, trialsFor: Trials): readonly Fault[] {
  const outcomes: string[] = [];
  for (const [before, after] of sides) {
    const { comparison, faults } = checkPair(before, after, trialsFor);
    if (comparison.outcome === 'different') return faults;
    outcomes.push(comparison.outcome);
  }
  if (unlessSame && checkPair(...unlessSame, trialsFor).comparison.outcome === 'same') return [];
  return [
    {
      what: `nothing is said of ${name}, and ${outcomes.join(', ')} without it`,
      place: undefined,
      trial: undefined,
    },
  ];
}
