export { type IpAddress, type IpRange, parseIp, rangeOf } from './addresses.ts';
export { comparedParts, isAmbiguous, type RequestPart } from './ambiguity.ts';
export { listPattern, requestPrincipal, textsAt, withWordLists } from './claims.ts';
export { type ConditionSubject, conditionSubject, isHttpOnly } from './condition-key.ts';
export { decide, ruleMatcher } from './decide.ts';
export { type Field, fieldsOf, isUsed, type RuleFields } from './fields.ts';
export { isJoinedHeader } from './headers.ts';
export { type Facts, type FieldSubject, headerOf } from './matchers.ts';
export { isPathTemplate, normalizePath } from './paths.ts';
export {
  type MeshNames,
  matchesNamespace,
  matchesPrincipal,
  trustDomainsOf,
  underAllNames,
} from './principals.ts';
export type {
  Claims,
  ClaimValue,
  Decision,
  DecisionContext,
  DecisionStep,
  DryRunResult,
  HttpAttributes,
  PolicyRequest,
  Verdict,
} from './request.ts';
export { parseRuleId, type RuleReference, ruleId, ruleReference } from './rule-id.ts';
export { lowerCase, normalizeHost } from './strings.ts';
