import { CitadelError } from '../../../kernel/index.ts';
import {
  comparedParts,
  type Decision,
  type DecisionContext,
  type DecisionStep,
  decide,
  type Facts,
  normalizePath,
  type PolicyRequest,
  type RequestPart,
  withWordLists,
} from '../decide/index.ts';
import type { AuthorizationPolicy, Policy } from '../model.ts';
import type { PolicyLocator } from '../read/index.ts';
import type { RequestAttribute } from './attributes.ts';
import type { Explanation, RuleFinding, StepFinding } from './model.ts';
import { byDistance, findingOf, type RuleComparison, referenceOf } from './rule.ts';
import { beforeTokens, stepsOf } from './steps.ts';

export interface ExplainOptions {
  /**
   * Of what is false here the request's own value means nothing, so that the verdict is one only where every value would
   * come to it. Default: all is known.
   */
  readonly isKnown?: (attribute: RequestAttribute) => boolean;
  /** Providers that can be asked, of which it is not known what they would say. */
  readonly unanswered?: ReadonlySet<string>;
  /** Where a policy's parts stand, for those that were read from a text at hand. */
  readonly locate?: PolicyLocator;
  /** How many of the rules that missed are told. */
  readonly most?: number;
}

const everything = () => true;
const nowhere = () => undefined;

/**
 * What `decide` says of a request, and why: which rule, by which of its entries, and what the others missed by.
 * @param policies all that hold for the callee, and no others
 * @throws CitadelError Internal where it comes to another verdict than `decide`: then one of both is wrong
 */
export function explain(
  policies: readonly Policy[],
  request: PolicyRequest,
  context: DecisionContext,
  options: ExplainOptions = {},
): Explanation {
  const { isKnown = everything, unanswered = new Set<string>(), locate = nowhere, most = 5 } = options;
  const all = policies.filter((policy) => policy.kind === 'AuthorizationPolicy');
  const enforced = all.filter(({ dryRun }) => !dryRun);
  const { http } = context.tcp ? {} : request;
  const facts: Facts = {
    request,
    path: http && normalizePath(http.path),
    claims: withWordLists(request.jwt, request.spaceDelimitedClaims),
    mesh: context,
  };
  const comparison: RuleComparison = { facts, isKnown, tcp: context.tcp, locate };
  const steps = stepsOf({ enforced, http, context, unanswered, comparison });
  const settled = settle(steps);
  const explanation: Explanation = {
    ...settled,
    steps,
    near:
      settled.verdict === 'deny' && settled.step === 'ALLOW'
        ? nearest(enforced, comparison).slice(0, most)
        : [],
    withoutRules: enforced
      .filter(({ action, rules }) => action === 'ALLOW' && rules.length === 0)
      .map(referenceOf),
    dryRun: dryRuns(all, comparison),
    takenAsPlain: http === undefined ? [] : plainParts(enforced, isKnown),
    ...(isKnown('request.path') && facts.path !== undefined ? { path: facts.path } : {}),
  };
  const answers = new Map([
    ...[...unanswered].map((name) => [name, 'allow'] as const),
    ...context.customVerdicts,
  ]);
  check(explanation, decide(policies, request, { ...context, customVerdicts: answers }));
  return explanation;
}

type Settled = Pick<Explanation, 'verdict' | 'step' | 'by' | 'dependsOn'>;

function settle(steps: readonly StepFinding[]): Settled {
  const nothing = { attributes: [], providers: [] };
  const open = steps.filter(({ outcome }) => outcome === 'depends');
  const denying = steps.find(({ outcome }) => outcome === 'denies');
  if (denying) return { verdict: 'deny', step: stepOf(denying), by: denying.by, dependsOn: nothing };
  if (open.length === 0) {
    const allowing = steps.find(({ outcome }) => outcome === 'allows');
    return { verdict: 'allow', step: allowing ? 'ALLOW' : 'default', by: allowing?.by, dependsOn: nothing };
  }
  const rules = open.flatMap((step) => step.rules.filter(({ outcome }) => outcome === 'depends'));
  return {
    verdict: 'depends',
    step: undefined,
    by: undefined,
    dependsOn: {
      attributes: [
        ...new Set(rules.flatMap(({ fields }) => fields.flatMap(({ unknown }) => unknown))),
      ].toSorted(),
      providers: open.flatMap(({ providers = [] }) =>
        providers.filter(({ answer }) => answer === undefined).map(({ name }) => name),
      ),
    },
  };
}

/** AUDIT only marks. */
function stepOf({ step }: StepFinding): DecisionStep {
  return step === 'AUDIT' ? 'default' : step;
}

function nearest(
  enforced: readonly AuthorizationPolicy[],
  comparison: RuleComparison,
): readonly RuleFinding[] {
  return enforced
    .filter(({ action }) => action === 'ALLOW')
    .flatMap((policy) => policy.rules.map((_, index) => findingOf(policy, index, comparison)))
    .toSorted((a, b) => byDistance(a.fields, b.fields));
}

function dryRuns(all: readonly AuthorizationPolicy[], comparison: RuleComparison): readonly RuleFinding[] {
  const early = beforeTokens(comparison);
  return all
    .filter(({ dryRun }) => dryRun)
    .flatMap((policy) =>
      policy.rules.map((_, index) =>
        findingOf(policy, index, policy.action === 'CUSTOM' ? early : comparison),
      ),
    )
    .filter(({ outcome }) => outcome !== 'misses');
}

/** A path, query, method or host that nobody knows could be one that is refused for its form, whatever policies say. */
function plainParts(
  enforced: readonly AuthorizationPolicy[],
  isKnown: (attribute: RequestAttribute) => boolean,
): readonly RequestPart[] {
  const parts = new Set<RequestPart>(['path', ...comparedParts(enforced)]);
  return [...parts].filter(
    (part) => !isKnown(`request.${part}`) || (part === 'path' && !isKnown('request.query')),
  );
}

/** What is not known may be anything, so also what the request says: a verdict must be that of `decide`. */
function check({ verdict, step, by, takenAsPlain, steps }: Explanation, decision: Decision): void {
  if (verdict === 'depends' || (takenAsPlain.length > 0 && decision.step === 'PATH')) return;
  const isOpen = steps.some(
    ({ outcome, rules }) => outcome === 'depends' || rules.some((rule) => rule.outcome === 'depends'),
  );
  if (verdict === decision.verdict && (isOpen || (step === decision.step && sameRule(by, decision.by))))
    return;
  throw new CitadelError(
    'Internal',
    `the explanation (${verdict} by ${step}) is not what policies decide (${decision.verdict} by ${decision.step}); please report it with the policies and the request`,
  );
}

function sameRule(finding: RuleFinding | undefined, reference: Decision['by']): boolean {
  if (finding === undefined || reference === undefined)
    return finding === undefined && reference === undefined;
  const { policy, rule } = finding;
  return (
    policy.namespace === reference.namespace && policy.name === reference.name && rule === reference.rule
  );
}
