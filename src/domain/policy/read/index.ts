export { type ConditionAttribute, type ConditionKey, conditionKeys, parseConditionKey } from './condition.ts';
export { isSecretJwk, judgeJwk } from './jwk.ts';
export { type InlineKeys, readInlineKeys } from './jwks.ts';
export {
  isPolicyKind,
  policyJsonSchema,
  policyKinds,
  type ReadOptions,
  type ReadPolicy,
  readPolicy,
} from './object.ts';
export { faultOfPath } from './path.ts';
export {
  describePolicyProblem,
  formatPolicyProblem,
  type PolicyIdentity,
  type PolicyProblem,
  policyIdentity,
  policyKey,
  policyKeyOf,
} from './problem.ts';
export { isPolicyTest, type PolicyLocator, type PolicyReading, readPolicies } from './stream.ts';
export { dnsLabel, faultOfHeaderName, faultOfMethod, isDnsSubdomain } from './values.ts';
