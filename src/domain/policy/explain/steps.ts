import { compareText } from '../../../kernel/index.ts';
import {
  comparedParts,
  type DecisionContext,
  type HttpAttributes,
  isAmbiguous,
  ruleId,
} from '../decide/index.ts';
import type { AuthorizationAction, AuthorizationPolicy } from '../model.ts';
import type { PathRefusal, ProviderFinding, RuleFinding, StepFinding } from './model.ts';
import { findingOf, type RuleComparison } from './rule.ts';

export interface Deciding {
  readonly enforced: readonly AuthorizationPolicy[];
  /** Undefined where the port is not HTTP. */
  readonly http: HttpAttributes | undefined;
  readonly context: DecisionContext;
  readonly unanswered: ReadonlySet<string>;
  readonly comparison: RuleComparison;
}

/** All steps in the order in which they decide, those behind the one that decided too: what they would have said. */
export function stepsOf(deciding: Deciding): readonly StepFinding[] {
  const { http } = deciding;
  const steps: readonly Omit<StepFinding, 'reached'>[] = [
    ...(http ? [pathStep(deciding, http)] : []),
    customStep(deciding),
    markStep(deciding),
    denyStep(deciding),
    allowStep(deciding),
  ];
  const denied = steps.findIndex(({ outcome }) => outcome === 'denies');
  return steps.map((step, index) => ({ ...step, reached: denied === -1 || index <= denied }));
}

type Step = Omit<StepFinding, 'reached'>;

function pathStep({ enforced, comparison }: Deciding, http: HttpAttributes): Step {
  const { facts, isKnown } = comparison;
  const refusal = (): PathRefusal | undefined => {
    const pathKnown = isKnown('request.path');
    if (pathKnown && facts.path === undefined) return 'no-canonical-form';
    return [...comparedParts(enforced)].find(
      (part) => isKnown(`request.${part}`) && isAmbiguous(part, http, facts.path ?? ''),
    );
  };
  const refused = refusal();
  return {
    step: 'PATH',
    outcome: refused === undefined ? 'passes' : 'denies',
    policies: 0,
    rules: [],
    ...(refused === undefined ? {} : { refusal: refused }),
  };
}

/**
 * First what names a provider that nobody can ask, then the providers by name. They are asked before tokens are validated,
 * so that no claim is known yet.
 */
function customStep({ enforced, context, unanswered, comparison }: Deciding): Step {
  const policies = withAction(enforced, 'CUSTOM');
  const early = beforeTokens(comparison);
  const answerOf = (provider: string | undefined): ProviderFinding['answer'] => {
    if (provider === undefined) return 'missing';
    return context.customVerdicts.get(provider) ?? (unanswered.has(provider) ? undefined : 'missing');
  };
  const asked = [...new Set(policies.map(({ provider }) => provider))].toSorted((a = '', b = '') =>
    compareText(a, b),
  );
  const missing = asked.filter((name) => answerOf(name) === 'missing');
  const known = asked.filter((name) => !missing.includes(name));
  const groups = [missing, ...known.map((name) => [name])].map((some): ProviderStep => {
    const answer = some.length === 0 ? undefined : answerOf(some[0]);
    const rules = candidates(
      policies.filter(({ provider }) => some.includes(provider)),
      early,
    );
    const by = answer === 'missing' || answer === 'deny' ? rules.find(isMatch) : undefined;
    const open = answer !== 'allow' && by === undefined && rules.length > 0;
    return { names: some.map((name = '') => name), answer, rules, by, open };
  });
  const by = groups.find((group) => group.by)?.by;
  const open = groups.some((group) => group.open);
  return {
    step: 'CUSTOM',
    outcome: by ? 'denies' : open ? 'depends' : 'passes',
    policies: policies.length,
    rules: groups.flatMap(({ rules }) => rules),
    ...(by && { by }),
    providers: groups
      .filter(({ rules }) => rules.length > 0)
      .flatMap(({ names, answer }) => names.map((name) => ({ name, answer }))),
  };
}

interface ProviderStep extends Pick<ProviderFinding, 'answer'> {
  readonly names: readonly string[];
  readonly rules: readonly RuleFinding[];
  readonly by: RuleFinding | undefined;
  readonly open: boolean;
}

/** As the proxy is when it asks authorizers: no token has been looked at. */
export function beforeTokens({ facts, isKnown, ...rest }: RuleComparison): RuleComparison {
  return {
    ...rest,
    facts: { ...facts, claims: undefined },
    isKnown: (attribute) => attribute === 'request.token' || isKnown(attribute),
  };
}

function markStep({ enforced, comparison }: Deciding): Step {
  const policies = withAction(enforced, 'AUDIT');
  return {
    step: 'AUDIT',
    outcome: 'passes',
    policies: policies.length,
    rules: candidates(policies, comparison),
  };
}

function denyStep({ enforced, comparison }: Deciding): Step {
  const policies = withAction(enforced, 'DENY');
  const rules = candidates(policies, comparison);
  const by = rules.find(isMatch);
  const outcome = by ? 'denies' : rules.length > 0 ? 'depends' : 'passes';
  return { step: 'DENY', outcome, policies: policies.length, rules, ...(by && { by }) };
}

function allowStep({ enforced, comparison }: Deciding): Step {
  const policies = withAction(enforced, 'ALLOW');
  if (policies.length === 0) return { step: 'ALLOW', outcome: 'passes', policies: 0, rules: [] };
  const rules = candidates(policies, comparison);
  const by = rules.find(isMatch);
  const outcome = by ? 'allows' : rules.length > 0 ? 'depends' : 'denies';
  return { step: 'ALLOW', outcome, policies: policies.length, rules, ...(by && { by }) };
}

function isMatch({ outcome }: RuleFinding): boolean {
  return outcome === 'matches';
}

function withAction(
  policies: readonly AuthorizationPolicy[],
  action: AuthorizationAction,
): readonly AuthorizationPolicy[] {
  return policies.filter((policy) => policy.action === action);
}

/** Rules that match, or may, as a proxy takes them: by their identifiers. */
function candidates(
  policies: readonly AuthorizationPolicy[],
  comparison: RuleComparison,
): readonly RuleFinding[] {
  return policies
    .flatMap((policy) => policy.rules.map((_, index) => findingOf(policy, index, comparison)))
    .filter(({ outcome }) => outcome !== 'misses')
    .toSorted((a, b) => compareText(idOf(a), idOf(b)));
}

function idOf({ policy: { namespace, name }, rule }: RuleFinding): string {
  return ruleId({ namespace, name, rule });
}
