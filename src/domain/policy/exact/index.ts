/**
 * What policies decide, of all requests at once. Every answer is about the requests that `decide` can be asked about, of
 * whatever strings may arrive: canonical paths, SPIFFE IDs, tokens for methods, values of headers without blanks around them,
 * any claims. Ports, modes of mutual TLS and who is there are those of the world. How it is done: `explore.ts`.
 *
 * Where two worlds take other tokens, compareWorlds looks at requests that bring one token or none: in a place that one of them
 * names, or not looked for, signed by a key that one of them has, or another, of any claims and good times (`tokens/`).
 *
 *   compareWorlds(before: PolicyWorld, after: PolicyWorld, limits?: Partial<ExactLimits>): WorldComparison
 *   allowedRegions(world: PolicyWorld, place: PortOf, limits?: Partial<ExactLimits>): Reach
 *   new RuleQuestions(world).canMatch(rule, 'http'), .matchesBeside(rule, others, 'http'): RuleAnswer
 */

export { abstractWorkloads } from './abstract-world.ts';
export { Budget as StepBudget } from './budget.ts';
export { allowedRegions, compareWorlds } from './compare.ts';
export { pathsFor, sourcesFor, textsFor } from './examples.ts';
export type {
  Alternative,
  Attribute as RegionAttribute,
  Comparison as WorldComparison,
  Constraint,
  Difference,
  ExactDecision,
  ExactLimits,
  Mark,
  MarkDifference,
  PatternList,
  PortOf,
  PortProtocol,
  Proof,
  Reach,
  Region,
  TokensUnread,
  Undecided,
  Witness,
  WitnessToken,
} from './model.ts';
export { PlaceQuestions } from './place-questions.ts';
export { type Group as PortGroup, portGroups } from './places.ts';
export { type PortPlace, type RuleAnswer, type RuleOf, type RulePlace, RuleQuestions } from './rules.ts';
export { decisionText, markText, placesText, regionText, tokenText } from './words.ts';
