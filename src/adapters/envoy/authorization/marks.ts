import { createHash } from 'node:crypto';
import type { Policy } from '../../../domain/policy/index.ts';
import type {
  DecisionLayer,
  DecisionMarker,
  DecisionMarks,
  MarkedStep,
} from '../../../domain/ports/index.ts';
import { RBAC } from '../../../gen/envoy/config/rbac/v3/rbac.ts';
import { once } from '../../../kernel/index.ts';
import type { AuthorizationContext } from './context.ts';
import { stepPrefix } from './names.ts';
import { requestGuard } from './paths.ts';
import { ruleSet } from './rules.ts';
import { authorization, byAction } from './select.ts';

/** The rules by which a step decides; undefined where it has none. */
type DecidingRules = Readonly<Record<MarkedStep, RBAC | undefined>>;

/** Of policies that hold together; what they would decide in a dry run is not among it. */
export function decidingRules(
  policies: readonly Policy[],
  layer: DecisionLayer,
  context: AuthorizationContext,
): DecidingRules {
  const of = byAction(policies);
  return {
    path:
      layer === 'http' ? requestGuard(authorization(policies).filter(({ dryRun }) => !dryRun)) : undefined,
    deny: ruleSet(of('DENY', false), 'DENY', layer, context),
    allow: ruleSet(of('ALLOW', false), 'ALLOW', layer, context),
  };
}

/**
 * What a step writes its results under. Filters are updated one after the other, and tell of a request only after that: so
 * each has a mark of its own rules in its results' names, which is there whatever came of them.
 */
export function markedPrefix(step: MarkedStep, rules: RBAC | undefined): string {
  return rules === undefined ? stepPrefix(step) : `${stepPrefix(step)}${markOf(rules)}_`;
}

function markOf(rules: RBAC): string {
  return createHash('sha256').update(RBAC.encode(rules).finish()).digest('hex').slice(0, 12);
}

/** @param settings the names of one's own trust domain */
export function decisionMarker(
  settings: Pick<AuthorizationContext, 'trustDomain' | 'trustDomainAliases'>,
): DecisionMarker {
  const { trustDomain, trustDomainAliases } = settings;
  // Of providers hangs only what comes before these steps.
  const context = { trustDomain, trustDomainAliases, providers: [], providerCluster: () => '' };
  const mark = (rules: RBAC | undefined) => rules && markOf(rules);
  const of = (layer: DecisionLayer) =>
    once((policies: readonly Policy[]): DecisionMarks => {
      const { path, deny, allow } = decidingRules(policies, layer, context);
      return { layer, path: mark(path), deny: mark(deny), allow: mark(allow) };
    });
  const ofLayer = { http: of('http'), network: of('network') };
  return (policies, layer) => ofLayer[layer](policies);
}

const marked = /^citadel_(path|deny|allow)_(?:([0-9a-f]{12})_)?((?:enforced|shadow)_.+)$/;

/** What filters left, by the names without marks, and the marks; an empty one is of a filter that has rules and no mark. */
export function readMarks(fields: Readonly<Record<string, unknown>>): {
  readonly fields: Readonly<Record<string, unknown>>;
  readonly marks: Partial<Record<MarkedStep, string>>;
} {
  const unmarked: Record<string, unknown> = {};
  const marks: Partial<Record<MarkedStep, string>> = {};
  for (const [key, value] of Object.entries(fields)) {
    const [, step, mark = '', rest] = marked.exec(key) ?? [];
    if (step !== 'path' && step !== 'deny' && step !== 'allow') unmarked[key] = value;
    else {
      unmarked[`${stepPrefix(step)}${rest}`] = value;
      // What a refusal's own text adds bears none.
      marks[step] = mark || (marks[step] ?? '');
    }
  }
  return { fields: unmarked, marks };
}
