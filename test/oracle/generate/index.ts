export { Coverage } from './coverage.ts';
export { everyCell, everyKind } from './expected.ts';
export { type PolicySet, policySet } from './policies.ts';
export { Random } from './random.ts';
export { aimedConnection, type Call, type Connection, call, claimSets, connections } from './requests.ts';
export * as words from './words.ts';
