import type { AuthorizationAction, Policy } from '../../../domain/policy/index.ts';
import { trialFilters } from '../../../domain/ports/index.ts';
import type { RBAC } from '../../../gen/envoy/config/rbac/v3/rbac.ts';
import { RBAC as NetworkRbac } from '../../../gen/envoy/extensions/filters/network/rbac/v3/rbac.ts';
import type { AuthorizationContext } from './context.ts';
import { networkExtAuthz } from './ext-authz.ts';
import type { NetworkAuthorizationFilter } from './filters.ts';
import { decidingRules, markedPrefix } from './marks.ts';
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
  const deciding = decidingRules(policies, 'network', context);
  const step = (name: 'deny' | 'allow') =>
    rbac(`citadel.${name}`, markedPrefix(name, deciding[name]), deciding[name], deciding[name], true);
  const dryRun = (action: AuthorizationAction) => {
    const rules = ruleSet(of(action, true), action, 'network', context);
    return rbac(`citadel.dry_run.${action.toLowerCase()}`, dryRunPrefix(action), undefined, rules, false);
  };
  const tried = shadow && triedRules(shadow, 'network', context);
  const audit = ruleSet(of('AUDIT', false), 'AUDIT', 'network', context);
  const lostRules = ruleSet(lost, 'CUSTOM', 'network', context);
  return [
    rbac('citadel.custom_unavailable', stepPrefix('custom_unavailable'), lostRules, lostRules, true),
    dryRun('CUSTOM'),
    ...custom,
    ...(['deny', 'allow'] as const).map((name) =>
      rbac(trialFilters[name], shadowPrefix(name), undefined, tried?.[name], false),
    ),
    dryRun('AUDIT'),
    rbac('citadel.audit', stepPrefix('audit'), audit, audit, false),
    dryRun('DENY'),
    step('deny'),
    dryRun('ALLOW'),
    step('allow'),
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
