import {
  type AuthorizationPolicy,
  type AuthorizationRule,
  decide,
  type LintWarning,
  lintPolicies,
  type PolicyWorld,
} from '../../src/domain/policy/index.ts';
import type { Fault, Trials } from './check.ts';
import { silenceFaults, silencesOf } from './lint-silences.ts';
import { type Told, toldOf, withoutTold } from './lint-told.ts';
import { Decider, type Place, placesOf, type Trial } from './place.ts';
import { only, type ToldPart, without } from './rule-parts.ts';
import { seen } from './seen.ts';

export interface LintChecked {
  readonly warnings: readonly LintWarning[];
  readonly requests: number;
  /** Policies and rules of which lint says nothing, so that they must have an effect. */
  readonly silent: number;
  readonly faults: readonly Fault[];
}

/**
 * Lints a world, and holds what is said of effects, and that nothing is said, against requests. @param few to look around with
 * where the engine has to show a request itself, which the decision function then judges
 */
export function checkLint(given: PolicyWorld, trialsFor: Trials, few: Trials): LintChecked {
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
    faults: [...faults, ...silences.flatMap((each) => silenceFaults(each, few))],
  };
}

/** Each rule an object of its own, as they are read. */
function distinct(world: PolicyWorld): PolicyWorld {
  const policies = world.policies.map((policy) =>
    policy.kind === 'AuthorizationPolicy'
      ? { ...policy, rules: policy.rules.map((rule) => ({ ...rule })) }
      : policy,
  );
  // Who is strict by himself lint is not told: what would be needed without that counts as needed.
  return { ...world, policies, strict: new Set() };
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
