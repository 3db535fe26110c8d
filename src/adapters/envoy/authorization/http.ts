import type { AuthorizationPolicy, Policy } from '../../../domain/policy/index.ts';
import { trialFilters } from '../../../domain/ports/index.ts';
import type { RBAC } from '../../../gen/envoy/config/rbac/v3/rbac.ts';
import { RBAC as HttpRbac } from '../../../gen/envoy/extensions/filters/http/rbac/v3/rbac.ts';
import type { AuthorizationContext } from './context.ts';
import { httpExtAuthz } from './ext-authz.ts';
import type { HttpAuthorizationFilter } from './filters.ts';
import { type JwksOf, jwtAuthentication } from './jwt.ts';
import { customPrefix, dryRunPrefix, stepPrefix } from './names.ts';
import { requestGuard } from './paths.ts';
import { ruleSet } from './rules.ts';
import { authorization, byAction, byName } from './select.ts';
import { type ShadowPolicies, shadowPrefix, triedRules } from './shadow.ts';

/**
 * The filters in front of an HTTP port, in the order in which they decide: path, CUSTOM, JWT, AUDIT, DENY, ALLOW. All are
 * always there, those without policies do nothing, so that an edit changes no listener.
 *
 * What is tried beside the policies is asked before those that it is compared with: they end a request that they deny.
 *
 * @param policies all that select the workload, and no others
 */
export function httpAuthorization(
  policies: readonly Policy[],
  jwksOf: JwksOf,
  context: AuthorizationContext,
  shadow?: ShadowPolicies,
): readonly HttpAuthorizationFilter[] {
  const of = byAction(policies);
  const rules = (some: readonly AuthorizationPolicy[], action: AuthorizationPolicy['action']) =>
    ruleSet(some, action, 'http', context);
  const known = new Set(context.providers.map(({ name }) => name));
  const custom = byName(context.providers).flatMap((provider): HttpAuthorizationFilter[] => {
    const own = of('CUSTOM', false).filter((policy) => policy.provider === provider.name);
    return [
      rbac(`citadel.custom.${provider.name}`, {
        shadowRules: rules(own, 'CUSTOM'),
        shadowRulesStatPrefix: customPrefix(provider.name),
      }),
      {
        name: `citadel.ext_authz.${provider.name}`,
        kind: 'ext_authz',
        config: httpExtAuthz(provider, context.providerCluster(provider)),
      },
    ];
  });
  // Nobody can be asked about these: what they match is refused.
  const lost = of('CUSTOM', false).filter(({ provider }) => provider === undefined || !known.has(provider));
  const step = (action: 'AUDIT' | 'DENY' | 'ALLOW', name: 'audit' | 'deny' | 'allow') =>
    rbac(`citadel.${name}`, {
      rules: rules(of(action, false), action),
      rulesStatPrefix: stepPrefix(name),
      shadowRules: rules(of(action, true), action),
      shadowRulesStatPrefix: dryRunPrefix(action),
    });
  const tried = shadow && triedRules(shadow, 'http', context);
  return [
    rbac('citadel.path', {
      rules: requestGuard(authorization(policies).filter(({ dryRun }) => !dryRun)),
      rulesStatPrefix: stepPrefix('path'),
      shadowRules: tried?.path,
      shadowRulesStatPrefix: shadowPrefix('path'),
    }),
    rbac('citadel.custom_unavailable', {
      rules: rules(lost, 'CUSTOM'),
      rulesStatPrefix: stepPrefix('custom_unavailable'),
      shadowRules: rules(of('CUSTOM', true), 'CUSTOM'),
      shadowRulesStatPrefix: dryRunPrefix('CUSTOM'),
    }),
    ...custom,
    {
      name: 'citadel.jwt',
      kind: 'jwt_authn',
      config: jwtAuthentication(
        policies.filter((policy) => policy.kind === 'RequestAuthentication'),
        jwksOf,
      ),
    },
    ...(['deny', 'allow'] as const).map((name) =>
      rbac(trialFilters[name], {
        shadowRules: tried?.[name],
        shadowRulesStatPrefix: shadowPrefix(name),
      }),
    ),
    step('AUDIT', 'audit'),
    step('DENY', 'deny'),
    step('ALLOW', 'allow'),
  ];
}

interface Rules {
  readonly rules?: RBAC | undefined;
  readonly rulesStatPrefix?: string;
  readonly shadowRules?: RBAC | undefined;
  readonly shadowRulesStatPrefix?: string;
}

function rbac(name: string, { rules, shadowRules, ...prefixes }: Rules): HttpAuthorizationFilter {
  const config = { ...HttpRbac.fromPartial(prefixes), rules, shadowRules };
  return { name, kind: 'rbac', config };
}
