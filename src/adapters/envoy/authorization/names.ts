import type { AuthorizationAction } from '../../../domain/policy/index.ts';

/**
 * What each filter writes its result under, in the metadata of `envoy.filters.http.rbac` or
 * `envoy.filters.network.rbac`: filters in a row would otherwise share their keys.
 */
export const rbacHttpNamespace = 'envoy.filters.http.rbac';
export const rbacNetworkNamespace = 'envoy.filters.network.rbac';

export type AuthorizationStep = 'path' | 'custom_unavailable' | 'audit' | 'deny' | 'allow';

export function stepPrefix(step: AuthorizationStep): string {
  return `citadel_${step}_`;
}

export function customPrefix(provider: string): string {
  return `citadel_custom_${provider}_`;
}

export function dryRunPrefix(action: AuthorizationAction): string {
  return `citadel_dry_run_${action.toLowerCase()}_`;
}

/** The key of the rule that matched, absent where none did. Network filters tell it of shadow rules alone. */
export function policyKey(prefix: string, mode: 'enforced' | 'shadow'): string {
  return `${prefix}${mode}_effective_policy_id`;
}
