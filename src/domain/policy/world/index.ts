export { formatWorld, readWorld } from './json.ts';
export type { PolicyWorld, WorldSettings } from './model.ts';
export { askableProviders } from './providers.ts';
export { withChanges, withoutPolicies, withoutStored, withPolicies, withStored } from './with-policies.ts';
