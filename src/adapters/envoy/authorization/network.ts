import type { AuthorizationAction, Policy } from '../../../domain/policy/index.ts';
import { trialFilters } from '../../../domain/ports/index.ts';
import type { RBAC } from '../../../gen/envoy/config/rbac/v3/rbac.ts';
import { RBAC as NetworkRbac } from '../../../gen/envoy/extensions/filters/network/rbac/v3/rbac.ts';
import type { AuthorizationContext } from './context.ts';
import { networkExtAuthz } from './ext-authz.ts';
import type { NetworkAuthorizationFilter } from './filters.ts';
import { customPrefix, dryRunPrefix, stepPrefix } from './names.ts';
import { ruleSet } from './rules.ts';
import { byAction, byName } from './select.ts';
import { type ShadowPolicies, shadowPrefix, triedRules } from './shadow.ts';

/**
 * The filters in front of a port that is not read as HTTP: CUSTOM, AUDIT, DENY, ALLOW. Rules that are enforced are shadow
 * rules too: a network filter tells the access log of its shadow rules alone. Dry runs so need filters of their own.
 */
export function networkAuthorization(
  policies: readonly Policy[],
  context: AuthorizationContext,
  shadow?: ShadowPolicies,
): readonly NetworkAuthorizationFilter[] {
  const of = byAction(policies);
  // Only gRPC can be asked about a connection; what policies of other providers match is refused.
  const askable = byName(context.providers).filter(({ kind }) => kind === 'grpc');
  const known = new Set(askable.map(({ name }) => name));
  const lost = of('CUSTOM', false).filter(({ provider }) => provider === undefined || !known.has(provider));
  const custom = askable.flatMap((provider): NetworkAuthorizationFilter[] => {
    const own = of('CUSTOM', false).filter((policy) => policy.provider === provider.name);
    const matching = ruleSet(own, 'CUSTOM', 'network', context);
    return [
      rbac(`citadel.custom.${provider.name}`, customPrefix(provider.name), undefined, matching, true),
      {
        name: `citadel.ext_authz.${provider.name}`,
        kind: 'ext_authz',
        decides: true,
        config: networkExtAuthz(provider, context.providerCluster(provider)),
      },
    ];
  });
  const step = (action: 'AUDIT' | 'DENY' | 'ALLOW', name: 'audit' | 'deny' | 'allow') => {
    const rules = ruleSet(of(action, false), action, 'network', context);
    return rbac(`citadel.${name}`, stepPrefix(name), rules, rules, action !== 'AUDIT');
  };
  const dryRun = (action: AuthorizationAction) => {
    const rules = ruleSet(of(action, true), action, 'network', context);
    return rbac(`citadel.dry_run.${action.toLowerCase()}`, dryRunPrefix(action), undefined, rules, false);
  };
  const tried = shadow && triedRules(shadow, 'network', context);
  const lostRules = ruleSet(lost, 'CUSTOM', 'network', context);
  return [
    rbac('citadel.custom_unavailable', stepPrefix('custom_unavailable'), lostRules, lostRules, true),
    dryRun('CUSTOM'),
    ...custom,
    ...(['deny', 'allow'] as const).map((name) =>
      rbac(trialFilters[name], shadowPrefix(name), undefined, tried?.[name], false),
    ),
    dryRun('AUDIT'),
    step('AUDIT', 'audit'),
    dryRun('DENY'),
    step('DENY', 'deny'),
    dryRun('ALLOW'),
    step('ALLOW', 'allow'),
  ];
}

function rbac(
  name: string,
  prefix: string,
  rules: RBAC | undefined,
  told: RBAC | undefined,
  decides: boolean,
): NetworkAuthorizationFilter {
  const names = { statPrefix: prefix, shadowRulesStatPrefix: prefix };
  return {
    name,
    decides,
    kind: 'rbac',
    config: { ...NetworkRbac.fromPartial(names), rules, shadowRules: told },
  };
}
