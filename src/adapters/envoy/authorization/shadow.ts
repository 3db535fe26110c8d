import type { Policy as PolicyObject } from '../../../domain/policy/index.ts';
import { parseRuleId } from '../../../domain/policy/index.ts';
import type { ShadowVerdict } from '../../../domain/ports/index.ts';
import { Policy, RBAC, RBAC_Action } from '../../../gen/envoy/config/rbac/v3/rbac.ts';
import type { AuthorizationContext } from './context.ts';
import { policyKey } from './names.ts';
import { requestGuard } from './paths.ts';
import { type Layer, ruleSet } from './rules.ts';
import { authorization, byAction } from './select.ts';
import { permissions, principals } from './terms.ts';

/** What is tried beside what holds, and all that it would make of the policies of one workload. */
export interface ShadowPolicies {
  readonly id: string;
  readonly policies: readonly PolicyObject[];
}

/**
 * Rules that decide nothing, and leave for each request what they would have decided. Each set ends in a rule that matches
 * what none before it did, so that every result bears the trial's id: filters are updated one after the other, and a
 * result of an earlier trial must not count for this one. Envoy looks at rules in the order of their names.
 */
export interface ShadowRules {
  readonly path: RBAC;
  readonly deny: RBAC;
  readonly allow: RBAC;
}

export type ShadowStep = keyof ShadowRules;

/** Words by which the names of the rules begin. Those of what matches come before those of what is left. */
const words = { denied: 'deny', passed: 'pass', allowed: 'allow', unmatched: 'none' } as const;

export function triedRules(
  { id, policies }: ShadowPolicies,
  layer: Layer,
  context: AuthorizationContext,
): ShadowRules {
  const of = byAction(policies);
  const allow = of('ALLOW', false);
  return {
    path: named(requestGuard(authorization(policies).filter(({ dryRun }) => !dryRun)), {
      matched: `${words.denied}/${id}`,
      left: `${words.passed}/${id}`,
    }),
    deny: named(ruleSet(of('DENY', false), 'DENY', layer, context), {
      matched: `${words.denied}/${id}`,
      left: `${words.passed}/${id}`,
    }),
    allow: named(ruleSet(allow, 'ALLOW', layer, context), {
      matched: `${words.allowed}/${id}`,
      // Without an ALLOW all that is left is allowed.
      left: `${allow.length === 0 ? words.allowed : words.unmatched}/${id}`,
    }),
  };
}

const everything = Policy.fromPartial({ permissions: [permissions.any], principals: [principals.any] });

function named(
  rules: RBAC | undefined,
  { matched, left }: { readonly matched: string; readonly left: string },
): RBAC {
  const own = Object.entries(rules?.policies ?? {}).map(
    ([name, rule]) => [`${matched}/${name}`, rule] as const,
  );
  return RBAC.fromPartial({
    action: RBAC_Action.DENY,
    policies: Object.fromEntries([...own, [left, everything]]),
  });
}

export function shadowPrefix(step: ShadowStep): string {
  return `citadel_shadow_${step}_`;
}

/** Where a step leaves the name of its rule. */
export function shadowKey(step: ShadowStep): string {
  return policyKey(shadowPrefix(step), 'shadow');
}

/** How the names begin of the rules by which a step would deny. */
export const shadowDenials: Readonly<Record<ShadowStep, string>> = {
  path: `${words.denied}/`,
  deny: `${words.denied}/`,
  allow: `${words.unmatched}/`,
};

const namePattern = /^(deny|pass|allow|none)\/([0-9a-f]{12})(?:\/(.{1,400}))?$/s;

/**
 * What the shadow rules left in an access log entry; undefined where there were none, or those of two trials. What
 * was refused before they were asked is unknown: a proxy asks them last before what it enforces of ALLOW and DENY.
 */
export function recordedShadow(fields: Readonly<Record<string, unknown>>): ShadowVerdict | undefined {
  const at = (step: ShadowStep) => {
    const name = fields[shadowKey(step)];
    const [, word, trial, rule] = typeof name === 'string' ? (namePattern.exec(name) ?? []) : [];
    return word === undefined || trial === undefined ? undefined : { word, trial, rule };
  };
  const results = { path: at('path'), deny: at('deny'), allow: at('allow') };
  const [trial, ...others] = new Set(Object.values(results).flatMap((result) => result?.trial ?? []));
  if (trial === undefined || others.length > 0) return undefined;
  const verdict = (outcome: ShadowVerdict['outcome'], step: ShadowVerdict['step'], rule?: string) => ({
    trial,
    outcome,
    step,
    by: rule === undefined ? undefined : parseRuleId(rule),
  });
  if (results.path?.word === words.denied) return verdict('denied', 'PATH');
  if (results.deny?.word === words.denied) return verdict('denied', 'DENY', results.deny.rule);
  if (results.allow?.word === words.unmatched) return verdict('denied', 'ALLOW');
  if (results.deny && results.allow) return verdict('allowed', 'ALLOW', results.allow.rule);
  return verdict('unknown', 'PATH');
}
