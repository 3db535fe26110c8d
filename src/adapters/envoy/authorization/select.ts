import type { AuthorizationProvider } from '../../../domain/mesh/index.ts';
import type { AuthorizationAction, AuthorizationPolicy, Policy } from '../../../domain/policy/index.ts';

export function byAction(
  policies: readonly Policy[],
): (action: AuthorizationAction, dryRun: boolean) => readonly AuthorizationPolicy[] {
  return (action, dryRun) =>
    authorization(policies).filter((policy) => policy.action === action && policy.dryRun === dryRun);
}

export function authorization(policies: readonly Policy[]): readonly AuthorizationPolicy[] {
  return policies.filter((policy) => policy.kind === 'AuthorizationPolicy');
}

/** Providers are asked in the order of their names. */
export function byName(providers: readonly AuthorizationProvider[]): readonly AuthorizationProvider[] {
  return [...providers].sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));
}
