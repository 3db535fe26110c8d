export { formatWorld, readWorld } from './json.ts';
export type { PolicyWorld, WorldSettings } from './model.ts';
export { askableProviders } from './providers.ts';
export { withChanges, withoutStored, withPolicies } from './with-policies.ts';
