import type {
  AuthorizationPolicy,
  AuthorizationRule,
  LintWarning,
  Policy,
  PolicyWorld,
} from '../../src/domain/policy/index.ts';
import { partOf, type ToldPart } from './rule-parts.ts';

/** One rule of which something is told, or a part of one. */
export interface Told {
  readonly warning: LintWarning;
  readonly policy: AuthorizationPolicy;
  readonly rule: AuthorizationRule | undefined;
  readonly part: ToldPart;
}

/** The warnings that say of something that it has no effect. */
export const ofEffects = [
  'rule-without-effect',
  'policy-without-effect',
  'covered-rule',
  'rule-never-matches',
  'allow-shadowed-by-deny',
  'value-without-effect',
  // In the place of the last, of a value that nothing is like.
  'principal-with-scheme',
  'identity-in-upper-case',
  'path-never-matches',
  'host-never-matches',
  'method-in-lower-case',
  'sni-in-upper-case',
];

export function toldOf(warning: LintWarning, { policies }: PolicyWorld): readonly Told[] {
  const { kind, namespace, name } = warning.object;
  const policy = policies.find(
    (each) => each.kind === kind && each.meta.namespace === namespace && each.meta.name === name,
  );
  if (policy?.kind !== 'AuthorizationPolicy') return [];
  if (!ofEffects.includes(warning.rule)) return [];
  const part = partOf(warning.path);
  // Of an ALLOW of which a DENY takes every rule it is said once.
  if (warning.path === 'spec.rules')
    return policy.rules.map((rule, at) => ({ warning, policy, rule, part: partOf(`spec.rules[${at}]`) }));
  return [{ warning, policy, rule: part.rule === undefined ? undefined : policy.rules[part.rule], part }];
}

/** A world without the rules and policies of which something is told, all at once. */
export function withoutTold(world: PolicyWorld, told: readonly Told[]): PolicyWorld {
  const gone = (policy: unknown, rule: AuthorizationRule | undefined) =>
    told.some((each) => each.policy === policy && each.rule === rule && each.part.part === undefined);
  const policies = world.policies.flatMap((policy): readonly Policy[] => {
    if (policy.kind !== 'AuthorizationPolicy') return [policy];
    if (gone(policy, undefined)) return [];
    const rules = policy.rules.filter((rule) => !gone(policy, rule));
    return [rules.length === policy.rules.length ? policy : { ...policy, rules }];
  });
  return { ...world, policies };
}
