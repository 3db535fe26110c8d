import {
  type AuthorizationPolicy,
  type AuthorizationRule,
  conditionSubject,
  isHttpOnly,
  ruleId,
  ruleReference,
} from '../../../domain/policy/index.ts';
import { type Policy, RBAC, RBAC_Action } from '../../../gen/envoy/config/rbac/v3/rbac.ts';
import { conditions } from './conditions.ts';
import type { AuthorizationContext } from './context.ts';
import { operation } from './operations.ts';
import { source } from './sources.ts';
import { permissions, principals } from './terms.ts';

export type Layer = 'http' | 'network';

/** CUSTOM is rendered as DENY: only whether a rule matches is asked of it. */
const actions = {
  ALLOW: RBAC_Action.ALLOW,
  DENY: RBAC_Action.DENY,
  CUSTOM: RBAC_Action.DENY,
  AUDIT: RBAC_Action.LOG,
} as const;

/** Policies of one action; undefined without any, which is not the same as policies without rules. */
export function ruleSet(
  policies: readonly AuthorizationPolicy[],
  action: AuthorizationPolicy['action'],
  layer: Layer,
  context: AuthorizationContext,
): RBAC | undefined {
  if (policies.length === 0) return undefined;
  const rules = policies.flatMap((policy) =>
    policy.rules.flatMap((rule, index) => {
      const rendered = renderRule(rule, policy, layer, context);
      return rendered === undefined ? [] : [[ruleId(ruleReference(policy.meta, index)), rendered] as const];
    }),
  );
  return RBAC.fromPartial({ action: actions[action], policies: Object.fromEntries(rules) });
}

function renderRule(
  rule: AuthorizationRule,
  policy: AuthorizationPolicy,
  layer: Layer,
  context: AuthorizationContext,
): Policy | undefined {
  // What cannot be compared makes an ALLOW narrower; from all others it is left out, which makes them wider.
  if (layer === 'network' && policy.action === 'ALLOW' && needsHttp(rule)) return undefined;
  const options = {
    http: layer === 'http',
    names: [...new Set([context.trustDomain, ...context.trustDomainAliases])],
    namespace: policy.meta.namespace,
    port: context.port,
  };
  const { asked, asking } = conditions(rule.when, options);
  const to = rule.to.length === 0 ? [] : [permissions.some(rule.to.map((each) => operation(each, options)))];
  const from =
    rule.from.length === 0 ? [] : [principals.some(rule.from.map((each) => source(each, options)))];
  return {
    permissions: [permissions.all([...to, ...asked])],
    principals: [principals.all([...from, ...asking])],
    condition: undefined,
    checkedCondition: undefined,
  };
}

function needsHttp({ from, to, when }: AuthorizationRule): boolean {
  return (
    from.some((each) => each.requestPrincipals.length + each.notRequestPrincipals.length > 0) ||
    to.some(({ hosts, notHosts, methods, notMethods, paths, notPaths }) =>
      [hosts, notHosts, methods, notMethods, paths, notPaths].some((list) => list.length > 0),
    ) ||
    when.some(
      ({ key, values, notValues }) =>
        values.length + notValues.length > 0 && isHttpOnly(conditionSubject(key)),
    )
  );
}
