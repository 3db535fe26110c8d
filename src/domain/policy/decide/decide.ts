import { compareText } from '../../../kernel/index.ts';
import type { AuthorizationAction, AuthorizationPolicy, AuthorizationRule, Policy } from '../model.ts';
import { comparedParts, isAmbiguous } from './ambiguity.ts';
import { withWordLists } from './claims.ts';
import { matchesField, usedFieldsOf } from './fields.ts';
import type { Facts } from './matchers.ts';
import { normalizePath } from './paths.ts';
import type { Decision, DecisionContext, DryRunResult, PolicyRequest } from './request.ts';
import { type RuleReference, ruleId, ruleReference } from './rule-id.ts';

/**
 * What becomes of a request at a callee whose policies these are: all that select it, and no others. Tokens have been
 * validated; what is no AuthorizationPolicy says nothing here.
 */
export function decide(
  policies: readonly Policy[],
  request: PolicyRequest,
  context: DecisionContext,
): Decision {
  const all = policies.filter((policy) => policy.kind === 'AuthorizationPolicy');
  const enforced = all.filter((policy) => !policy.dryRun);
  const facts = factsOf(request, context);
  const { path } = facts;
  const first = (some: readonly AuthorizationPolicy[]) => matchingRules(some, facts, context.tcp)[0];
  const dryRun = dryRunResults(all, first, facts, context.tcp);
  const end = (rest: Omit<Decision, 'dryRun'>): Decision => ({ ...rest, dryRun });

  const { http } = request;
  if (!context.tcp && http !== undefined) {
    if (path === undefined || [...comparedParts(enforced)].some((part) => isAmbiguous(part, http, path)))
      return end({ verdict: 'deny', step: 'PATH', by: undefined, audit: [] });
  }
  const refused = customRefusal(enforced, facts, context);
  if (refused !== undefined) return end({ verdict: 'deny', step: 'CUSTOM', by: refused, audit: [] });

  const audit = matchingRules(withAction(enforced, 'AUDIT'), facts, context.tcp);
  const denied = first(withAction(enforced, 'DENY'));
  if (denied !== undefined) return end({ verdict: 'deny', step: 'DENY', by: denied, audit });
  const allowing = withAction(enforced, 'ALLOW');
  if (allowing.length === 0) return end({ verdict: 'allow', step: 'default', by: undefined, audit });
  const allowed = first(allowing);
  return end({ verdict: allowed === undefined ? 'deny' : 'allow', step: 'ALLOW', by: allowed, audit });
}

/** Whether one rule of a policy, counted from 0, matches a request, whatever else holds. */
export function ruleMatcher(
  request: PolicyRequest,
  context: Pick<DecisionContext, 'tcp' | keyof Facts['mesh']>,
): (policy: AuthorizationPolicy, rule: number) => boolean {
  const facts = factsOf(request, context);
  const early = { ...facts, claims: undefined };
  return (policy, at) => {
    const rule = policy.rules[at];
    const seen = policy.action === 'CUSTOM' ? early : facts;
    return rule !== undefined && matchesRule(rule, policy, seen, context.tcp);
  };
}

function factsOf(request: PolicyRequest, context: Pick<DecisionContext, 'tcp' | keyof Facts['mesh']>): Facts {
  const path = context.tcp || request.http === undefined ? undefined : normalizePath(request.http.path);
  const claims = withWordLists(request.jwt, request.spaceDelimitedClaims);
  return { request, path, claims, mesh: context };
}

/** Providers are asked in the order of their names, each once, if any rule that names it matches. */
function customRefusal(
  enforced: readonly AuthorizationPolicy[],
  facts: Facts,
  { tcp, customVerdicts }: DecisionContext,
): RuleReference | undefined {
  // Asked before tokens are validated, so that no claim is known yet.
  const early: Facts = { ...facts, claims: undefined };
  const custom = withAction(enforced, 'CUSTOM');
  const known = ({ provider }: AuthorizationPolicy) => provider !== undefined && customVerdicts.has(provider);
  const [lost] = matchingRules(
    custom.filter((policy) => !known(policy)),
    early,
    tcp,
  );
  if (lost !== undefined) return lost;
  for (const [provider, verdict] of [...customVerdicts].sort(([a], [b]) => compareText(a, b))) {
    const [rule] = matchingRules(
      custom.filter((policy) => policy.provider === provider),
      early,
      tcp,
    );
    if (rule !== undefined && verdict === 'deny') return rule;
  }
  return undefined;
}

function dryRunResults(
  all: readonly AuthorizationPolicy[],
  first: (some: readonly AuthorizationPolicy[]) => RuleReference | undefined,
  facts: Facts,
  tcp: boolean,
): readonly DryRunResult[] {
  const dry = all.filter((policy) => policy.dryRun);
  const actions: readonly AuthorizationAction[] = ['CUSTOM', 'AUDIT', 'DENY', 'ALLOW'];
  return actions.flatMap((action) => {
    const some = withAction(dry, action);
    if (some.length === 0) return [];
    const early = { ...facts, claims: undefined };
    return [{ action, by: action === 'CUSTOM' ? matchingRules(some, early, tcp)[0] : first(some) }];
  });
}

function withAction(
  policies: readonly AuthorizationPolicy[],
  action: AuthorizationAction,
): readonly AuthorizationPolicy[] {
  return policies.filter((policy) => policy.action === action);
}

function matchingRules(
  policies: readonly AuthorizationPolicy[],
  facts: Facts,
  tcp: boolean,
): readonly RuleReference[] {
  const found = policies.flatMap((policy) =>
    policy.rules.flatMap((rule, index) =>
      matchesRule(rule, policy, facts, tcp) ? [ruleReference(policy.meta, index)] : [],
    ),
  );
  return found.sort((a, b) => compareText(ruleId(a), ruleId(b)));
}

function matchesRule(
  rule: AuthorizationRule,
  policy: AuthorizationPolicy,
  facts: Facts,
  tcp: boolean,
): boolean {
  const { from, to, when, asksHttp } = usedFieldsOf(rule, policy);
  // What cannot be compared must make an ALLOW narrower and everything else wider.
  if (tcp && asksHttp && policy.action === 'ALLOW') return false;
  const all = (fields: typeof when) =>
    fields.every((field) => (tcp && field.httpOnly) || matchesField(field, facts));
  const any = (alternatives: typeof from) => alternatives.length === 0 || alternatives.some(all);
  return any(from) && any(to) && all(when);
}
