import {
  type AuthorizationPolicy,
  type AuthorizationRule,
  decide,
  type LintWarning,
  lintPolicies,
  type Policy,
  type PolicyWorld,
} from '../../src/domain/policy/index.ts';
import { checkPair, type Fault, type Trials } from './check.ts';
import { Decider, type Place, placesOf, type Trial } from './place.ts';
import { only, partOf, type ToldPart, without } from './rule-parts.ts';
import { seen } from './seen.ts';

export interface LintChecked {
  readonly warnings: readonly LintWarning[];
  readonly requests: number;
  /** Policies and rules of which lint says nothing, so that they must have an effect. */
  readonly silent: number;
  readonly faults: readonly Fault[];
}

/** One rule of which something is told, or a part of one. */
interface Told {
  readonly warning: LintWarning;
  readonly policy: AuthorizationPolicy;
  readonly rule: AuthorizationRule | undefined;
  readonly part: ToldPart;
}

const needless = ['rule-without-effect', 'policy-without-effect', 'covered-rule', 'rule-never-matches'];

/** Lints a world, and holds what is said of effects, and that nothing is said, against requests. */
export function checkLint(given: PolicyWorld, trialsFor: Trials): LintChecked {
  const world = distinct(given);
  const warnings = lintPolicies(world.policies, world);
  const told = warnings.flatMap((warning) => toldOf(warning, world));
  const faults: Fault[] = told.flatMap((each) => witnessFaults(each, world));
  const left = withoutTold(world, told);
  let requests = 0;
  for (const place of placesOf([world])) {
    const [before, after] = [new Decider(world, place), new Decider(left, place)];
    const asked = new Asked(world, place, before.policies, told);
    const here = told.filter(({ policy }) => before.policies.includes(policy));
    for (const trial of trialsFor(before.policies, place).trials()) {
      const { path, request } = seen(trial, world);
      if (request.http && path === undefined) continue;
      requests += 1;
      const add = (what: string) => faults.push({ what, place, trial });
      // What can be read in two ways is refused for the sake of rules that are never needed for anything else.
      if (before.step(trial) !== 'PATH' && before.allows(trial) !== after.allows(trial))
        add('is decided otherwise without all that lint says has no effect');
      for (const each of here) {
        // Where no token is looked at nobody has claims; a rule by itself does not know where it is.
        const isOfPlace = each.warning.rule === 'allow-shadowed-by-deny';
        if (isOfPlace && before.step(trial) === undefined) continue;
        const fault = asked.faultOf(each, isOfPlace ? before.known(trial) : trial);
        if (fault !== undefined) add(`${fault}: ${each.warning.message}`);
      }
    }
  }
  const isWhole = !warnings.some(({ rule }) => rule === 'effects-not-compared');
  const silences = isWhole ? silencesOf(world, told) : [];
  return {
    warnings,
    requests,
    silent: silences.length,
    faults: [...faults, ...silences.flatMap((each) => silenceFaults(each, trialsFor))],
  };
}

/** Each rule an object of its own, as they are read. */
function distinct(world: PolicyWorld): PolicyWorld {
  const policies = world.policies.map((policy) =>
    policy.kind === 'AuthorizationPolicy'
      ? { ...policy, rules: policy.rules.map((rule) => ({ ...rule })) }
      : policy,
  );
  return { ...world, policies };
}

function toldOf(warning: LintWarning, { policies }: PolicyWorld): readonly Told[] {
  const { kind, namespace, name } = warning.object;
  const policy = policies.find(
    (each) => each.kind === kind && each.meta.namespace === namespace && each.meta.name === name,
  );
  if (policy?.kind !== 'AuthorizationPolicy') return [];
  if (![...needless, 'allow-shadowed-by-deny', 'value-without-effect'].includes(warning.rule)) return [];
  const part = partOf(warning.path);
  // Of an ALLOW of which a DENY takes every rule it is said once.
  if (warning.path === 'spec.rules')
    return policy.rules.map((rule, at) => ({ warning, policy, rule, part: partOf(`spec.rules[${at}]`) }));
  return [{ warning, policy, rule: part.rule === undefined ? undefined : policy.rules[part.rule], part }];
}

function withoutTold(world: PolicyWorld, told: readonly Told[]): PolicyWorld {
  const gone = (policy: unknown, rule: AuthorizationRule | undefined) =>
    told.some(
      (each) =>
        each.policy === policy &&
        each.rule === rule &&
        each.part.part === undefined &&
        each.warning.rule !== 'value-without-effect',
    );
  const policies = world.policies.flatMap((policy): readonly Policy[] => {
    if (policy.kind !== 'AuthorizationPolicy') return [policy];
    if (gone(policy, undefined)) return [];
    const rules = policy.rules.filter((rule) => !gone(policy, rule));
    return [rules.length === policy.rules.length ? policy : { ...policy, rules }];
  });
  return { ...world, policies };
}

class Asked {
  readonly #world: PolicyWorld;
  readonly #tcp: boolean;
  readonly #holding: readonly AuthorizationPolicy[];
  readonly #told: readonly Told[];

  constructor(
    world: PolicyWorld,
    { protocol }: Place,
    holding: readonly AuthorizationPolicy[],
    told: readonly Told[],
  ) {
    this.#world = world;
    this.#tcp = protocol === 'tcp';
    this.#holding = holding;
    this.#told = told;
  }

  faultOf({ warning, policy, rule, part }: Told, trial: Trial): string | undefined {
    if (!rule) return undefined;
    switch (warning.rule) {
      case 'rule-never-matches':
        return this.#matches(policy, rule, trial) ? 'is matched by a rule that never matches' : undefined;
      case 'covered-rule':
        return this.#matches(policy, rule, trial) && !this.#anyOther(policy, rule, trial)
          ? 'is matched by a covered rule alone'
          : undefined;
      case 'allow-shadowed-by-deny':
        return this.#matches(policy, only(rule, part), trial) &&
          !this.#anyMatches(this.#holding.filter(isDenying), trial)
          ? 'is allowed, and denied by none'
          : undefined;
      case 'value-without-effect':
        return this.#matches(policy, rule, trial) !==
          this.#matches(policy, without(rule, this.#partsOf(policy, rule)), trial)
          ? 'hangs on a part without effect'
          : undefined;
      default:
        return undefined;
    }
  }

  #partsOf(policy: AuthorizationPolicy, rule: AuthorizationRule): readonly ToldPart[] {
    const at = policy.rules.indexOf(rule);
    return this.#told
      .filter(
        (each) =>
          each.warning.rule === 'value-without-effect' && each.policy === policy && each.part.rule === at,
      )
      .map(({ part }) => part);
  }

  /** Of the same action, which is not covered itself. */
  #anyOther(policy: AuthorizationPolicy, rule: AuthorizationRule, trial: Trial): boolean {
    const covered = this.#told.filter(({ warning }) => warning.rule === 'covered-rule');
    return this.#holding
      .filter((each) => isAlike(each, policy))
      .some((each) =>
        each.rules.some(
          (other) =>
            other !== rule &&
            !covered.some(({ rule: own }) => own === other) &&
            this.#matches(each, other, trial),
        ),
      );
  }

  #anyMatches(policies: readonly AuthorizationPolicy[], trial: Trial): boolean {
    return policies.some((policy) => policy.rules.some((rule) => this.#matches(policy, rule, trial)));
  }

  /** By a dry run, which looks at nothing but the rule. */
  #matches(policy: AuthorizationPolicy, rule: AuthorizationRule, { request }: Trial): boolean {
    const { trustDomain, trustDomainAliases } = this.#world.settings;
    // What an AUDIT matches a DENY does too; that one is asked of what can be read in two ways as well.
    const action = policy.action === 'AUDIT' ? 'DENY' : policy.action;
    const { dryRun } = decide([{ ...policy, action, dryRun: true, rules: [rule] }], request, {
      trustDomain,
      trustDomainAliases,
      tcp: this.#tcp,
      customVerdicts: new Map(),
    });
    return dryRun.some(({ by }) => by !== undefined);
  }
}

function isAlike(a: AuthorizationPolicy, b: AuthorizationPolicy): boolean {
  return a.action === b.action && a.provider === b.provider && a.dryRun === b.dryRun;
}

function isDenying({ action, dryRun }: AuthorizationPolicy): boolean {
  return action === 'DENY' && !dryRun;
}

/** What is shown of an ALLOW that a DENY takes, must be denied by one. */
function witnessFaults({ warning: { rule, witness, message } }: Told, world: PolicyWorld): readonly Fault[] {
  if (!witness)
    return rule === 'allow-shadowed-by-deny'
      ? [{ what: `shows nothing: ${message}`, place: undefined, trial: undefined }]
      : [];
  const trial = witness.witness;
  return placesOf([world]).flatMap((place) => {
    const isMeant = witness.places.some(
      (each) => each.workload === place.workload && each.port === place.port,
    );
    const step = isMeant ? new Decider(world, place).step(trial) : 'DENY';
    return rule !== 'allow-shadowed-by-deny' || step === 'DENY' || step === 'CUSTOM' || step === 'PATH'
      ? []
      : [{ what: `what is shown is decided by ${step}: ${message}`, place, trial }];
  });
}

/** A policy or a rule of which nothing is said, and pairs of worlds with it and without it, of which one must differ. */
interface Silence {
  readonly name: string;
  readonly sides: readonly (readonly [before: PolicyWorld, after: PolicyWorld])[];
}

function silencesOf(world: PolicyWorld, told: readonly Told[]): readonly Silence[] {
  const left = withoutTold(world, told);
  // Rules that others cover may stay for what is refused for their sake, as it can be read in two ways.
  const kept = withoutTold(
    world,
    told.filter(({ warning: { rule } }) => rule !== 'covered-rule' && rule !== 'rule-never-matches'),
  );
  const held = new Set(placesOf([world]).flatMap((place) => new Decider(world, place).policies));
  const shadowing = told.some(({ warning }) => warning.rule === 'allow-shadowed-by-deny');
  return [...held].flatMap((policy): readonly Silence[] => {
    if (policy.dryRun || policy.action === 'AUDIT' || isSaidAloud(policy)) return [];
    // A DENY is there for what it takes of an ALLOW that is told: without that one it may have no effect.
    if (shadowing && policy.action !== 'ALLOW') return [];
    const own = told.filter((each) => each.policy === policy && each.part.part === undefined);
    const isWhole = own.some(({ rule }) => rule === undefined) || own.length === policy.rules.length;
    const name = `${policy.meta.namespace}/${policy.meta.name}`;
    const silent = policy.rules.flatMap((rule, at) => (own.some((each) => each.rule === rule) ? [] : [at]));
    const sides = [left, kept];
    return [
      ...(isWhole
        ? []
        : [{ name, sides: sides.map((side) => [side, replaced(side, policy, () => undefined)] as const) }]),
      ...(policy.rules.length < 2 || isWhole ? [] : silent).map((at) => ({
        name: `rule ${at} of ${name}`,
        sides: sides.map(
          (side) => [side, replaced(side, policy, (rule) => rule !== policy.rules[at])] as const,
        ),
      })),
    ];
  });
}

/** @param isKept undefined of the whole policy */
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
function silenceFaults({ name, sides }: Silence, trialsFor: Trials): readonly Fault[] {
  const outcomes: string[] = [];
  for (const [before, after] of sides) {
    const { comparison, faults } = checkPair(before, after, trialsFor);
    if (comparison.outcome === 'different') return faults;
    outcomes.push(comparison.outcome);
  }
  return [
    {
      what: `nothing is said of ${name}, and ${outcomes.join(', ')} without it`,
      place: undefined,
      trial: undefined,
    },
  ];
}
