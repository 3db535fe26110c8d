export * from './access/index.ts';
export { authoredObject } from './authored.ts';
export { canonicalPolicy, policyHash } from './canonical.ts';
export {
  type ChangedObject,
  changedObjects,
  type DifferingObject,
  type DiffLine,
  differingObjects,
  diffLines,
  type PolicyRestore,
  restoringChange,
} from './changes/index.ts';
export {
  type Claims,
  type ClaimValue,
  type ConditionSubject,
  comparedParts,
  conditionSubject,
  type Decision,
  type DecisionContext,
  type DecisionStep,
  type DryRunResult,
  decide,
  type HttpAttributes,
  isHttpOnly,
  isPathTemplate,
  listPattern,
  normalizePath,
  type PolicyRequest,
  parseRuleId,
  type RequestPart,
  type RuleReference,
  ruleId,
  ruleReference,
  type Verdict,
} from './decide/index.ts';
export * from './exact/index.ts';
export * from './explain/index.ts';
export { formatPolicies, formatPolicyObject } from './format.ts';
export { policiesByWorkload } from './holding.ts';
export { holdingPolicies, holdingVersion, policiesVersion } from './holding-version.ts';
export { type JudgedMesh, judgePolicy, type PolicyJudgement } from './judge.ts';
export {
  type Completion,
  completionsAt,
  type Diagnostic,
  diagnosticsOf,
  hoverAt,
  textProblems,
} from './language/index.ts';
export { type LintRegistry, type LintWarning, lintPolicies, lintWithoutWorld } from './lint/index.ts';
export * from './model.ts';
export * from './read/index.ts';
export {
  callerName,
  type ReplayExample,
  type ReplayedDecision,
  type ReplayGroup,
  type ReplayReport,
  type ReplayStep,
  replay,
  requestWords,
  sampleWords,
  stableLabels,
  type Tally,
  type UndecidedGroup,
} from './replay/index.ts';
export { fieldHelp, policyFilesJsonSchema, shapeAt } from './schema/index.ts';
export { enforcedMode, indexPolicies, mutualTlsModeOf, precedence } from './select.ts';
export {
  createPolicyService,
  type PolicyAuthor,
  type PolicyChangeRequest,
  type PolicyEffect,
  type PolicyPlan,
  type PolicyService,
  type PreparedChange,
  refuseUnable,
} from './service.ts';
export { isStoredOrigin } from './stored.ts';
export { createStoredPolicySource, type StoredPolicySource } from './stored-source.ts';
export {
  defaultSuggestOptions,
  type LeftOut,
  type LeftOutReason,
  type SuggestedCaller,
  type SuggestedOperation,
  type Suggestion,
  type SuggestRequest,
  suggest,
} from './suggest/index.ts';
export * from './testing/index.ts';
export { mostPolicies, nobodyMayCall } from './too-many.ts';
export { policiesWeight } from './weight.ts';
export {
  formatWorld,
  type PolicyWorld,
  readWorld,
  type WorldSettings,
  withChanges,
  withoutPolicies,
  withoutStored,
  withPolicies,
  withStored,
} from './world/index.ts';
export { policyObject } from './write.ts';
