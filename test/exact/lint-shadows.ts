import type {
  AuthorizationPolicy,
  AuthorizationRule,
  Policy,
  PolicyWorld,
} from '../../src/domain/policy/index.ts';
import type { Side, Silence } from './lint-silences.ts';
import type { Told } from './lint-told.ts';
import { isBeside, isWithin, partsOf, type ToldPart, without } from './rule-parts.ts';

/**
 * Rules of an ALLOW, their entries and values, of which it is not said that a DENY takes all: of each something must get
 * through, if it matches anything.
 */
export function shadowsOf(
  policy: AuthorizationPolicy,
  rule: AuthorizationRule,
  at: number,
  world: PolicyWorld,
  told: readonly Told[],
): readonly Silence[] {
  if (policy.action !== 'ALLOW' || policy.dryRun) return [];
  const own = told.filter((each) => each.policy === policy && each.part.rule === at).map(({ part }) => part);
  if (own.some(({ part }) => part === undefined)) return [];
  const whole: ToldPart = { rule: at, part: undefined, entry: 0, list: undefined, value: undefined };
  const parts = partsOf(rule);
  const alternatives = parts.filter(
    ({ list, value }) => list === undefined || (value !== undefined && !list.startsWith('not')),
  );
  return [whole, ...alternatives]
    .filter((part) => !own.some((each) => isWithin(part, each)))
    .map((part) => {
      const others = parts.filter((each) => isBeside(each, part) || isEntryBeside(each, part));
      const narrow = [others, [...own, ...others]].map((gone) => without(rule, gone));
      const denials = world.policies.filter((each) => !isAllowing(each));
      const side = (left: AuthorizationRule, policies: readonly Policy[]): Side => [
        { ...world, policies: [...policies, { ...policy, rules: [left] }] },
        { ...world, policies: [...policies, { ...policy, rules: [] }] },
      ];
      const arriving = denials.filter((each) => each.kind !== 'AuthorizationPolicy');
      return {
        name: `what gets through of ${JSON.stringify(part)} of rule ${at} of ${policy.meta.namespace}/${policy.meta.name}`,
        sides: narrow.map((left) => side(left, denials)),
        unlessSame: side(narrow[1] ?? rule, arriving),
      };
    });
}

/** Of a value: the entries beside the one that it is of. */
function isEntryBeside(one: ToldPart, part: ToldPart): boolean {
  return (
    part.value !== undefined &&
    one.list === undefined &&
    isBeside(one, { ...part, list: undefined, value: undefined })
  );
}

/** What may refuse, but is no DENY, lets through here. */
function isAllowing(policy: Policy): boolean {
  return policy.kind === 'AuthorizationPolicy' && policy.action !== 'DENY';
}
