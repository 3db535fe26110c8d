import type { AuthorizationAction, AuthorizationPolicy, Policy } from '../../../domain/policy/index.ts';
import { trialFilters } from '../../../domain/ports/index.ts';
import type { RBAC } from '../../../gen/envoy/config/rbac/v3/rbac.ts';
import { RBAC as HttpRbac } from '../../../gen/envoy/extensions/filters/http/rbac/v3/rbac.ts';
import type { AuthorizationContext } from './context.ts';
import { httpExtAuthz } from './ext-authz.ts';
import type { HttpAuthorizationFilter } from './filters.ts';
import { type JwksOf, jwtAuthentication } from './jwt.ts';
import { decidingRules, markedPrefix } from './marks.ts';
import { customPrefix, dryRunPrefix, stepPrefix } from './names.ts';
import { ruleSet } from './rules.ts';
import { byAction, byName } from './select.ts';
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
  const deciding = decidingRules(policies, 'http', context);
  const dryRun = (action: AuthorizationAction) => ({
    shadowRules: rules(of(action, true), action),
    shadowRulesStatPrefix: dryRunPrefix(action),
  });
  const step = (action: 'DENY' | 'ALLOW', name: 'deny' | 'allow') =>
    rbac(`citadel.${name}`, {
      rules: deciding[name],
      rulesStatPrefix: markedPrefix(name, deciding[name]),
      ...dryRun(action),
    });
  const tried = shadow && triedRules(shadow, 'http', context);
  return [
    rbac('citadel.path', {
      rules: deciding.path,
      rulesStatPrefix: markedPrefix('path', deciding.path),
      shadowRules: tried?.path,
      shadowRulesStatPrefix: shadowPrefix('path'),
    }),
    rbac('citadel.custom_unavailable', {
      rules: rules(lost, 'CUSTOM'),
      rulesStatPrefix: stepPrefix('custom_unavailable'),
      ...dryRun('CUSTOM'),
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
    rbac('citadel.audit', {
      rules: rules(of('AUDIT', false), 'AUDIT'),
      rulesStatPrefix: stepPrefix('audit'),
      ...dryRun('AUDIT'),
    }),
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
