export { formatWorld, readWorld } from './json.ts';
export type { PolicyWorld, WorldSettings } from './model.ts';
export { withoutStored, withPolicies } from './with-policies.ts';
