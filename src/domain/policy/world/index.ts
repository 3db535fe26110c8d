export { formatWorld, readWorld } from './json.ts';
export type { PolicyWorld, WorldSettings } from './model.ts';
export { withPolicies } from './with-policies.ts';
