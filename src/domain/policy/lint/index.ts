import { formatPath, type YamlPlace } from '../../../yaml/index.ts';
import type { Policy } from '../model.ts';
import { type PolicyIdentity, type PolicyLocator, policyKey } from '../read/index.ts';
import {
  createContext,
  type LintContext,
  type LintOptions,
  type LintRegistry,
  type Remark,
} from './context.ts';
import { coveredRules } from './cover.ts';
import { withoutEffect } from './effect.ts';
import { evasions } from './evasion.ts';
import { identities } from './identity.ts';
import { keys } from './keys.ts';
import { missingMetadata } from './metadata.ts';
import { httpOnTcp, tokensOnTcp } from './protocol.ts';
import { reach } from './reach.ts';
import { missingThings } from './scope.ts';
import { texts } from './text.ts';

export type { LintRegistry } from './context.ts';

/** Something legal that is surely not meant: where, why, and what mends it. */
export interface LintWarning {
  /** The name of the check, as in `covered-rule`. */
  readonly rule: string;
  readonly object: PolicyIdentity;
  readonly source: string;
  readonly line?: number;
  readonly column?: number;
  readonly path: string;
  readonly message: string;
  readonly mend: string;
}

const checks: readonly ((context: LintContext) => readonly Remark[])[] = [
  missingThings,
  missingMetadata,
  httpOnTcp,
  tokensOnTcp,
  identities,
  texts,
  evasions,
  keys,
  reach,
  coveredRules,
  withoutEffect,
];

/**
 * Warns of what is legal but surely not meant.
 * @param policies all that hold together, since one changes what another means
 * @param registry what they are about
 * @param locate where they stand in the text, as readPolicies tells
 */
export function lintPolicies(
  policies: readonly Policy[],
  registry: LintRegistry,
  locate: PolicyLocator = () => undefined,
  options: LintOptions = {},
): readonly LintWarning[] {
  const context = createContext(policies, registry, options);
  const order = new Map(policies.map((policy, index) => [policy, index]));
  return onceEach(checks.flatMap((check) => check(context)))
    .map((remark) => ({ remark, place: locate(remark.policy, remark.path) }))
    .sort(
      (a, b) =>
        (order.get(a.remark.policy) ?? 0) - (order.get(b.remark.policy) ?? 0) || inText(a.place, b.place),
    )
    .map(({ remark, place }) => toWarning(remark, place));
}

/** Of what it is told why it changes nothing, that it changes nothing is not told as well. */
function onceEach(remarks: readonly Remark[]): readonly Remark[] {
  const placeOf = ({ kind, meta }: Policy, path: Remark['path']) =>
    `${policyKey({ kind, namespace: meta.namespace, name: meta.name })} ${formatPath(path)}`;
  const told = new Set(
    remarks.filter(({ rule }) => reasons.has(rule)).map(({ policy, path }) => placeOf(policy, path)),
  );
  const isTold = ({ policy, path, rule }: Remark): boolean => {
    if (rule === 'effects-not-compared') return remarks.some((each) => each.rule === 'rules-not-compared');
    if (provenOfRules.has(rule)) return told.has(placeOf(policy, path));
    if (rule !== 'policy-without-effect' || policy.kind !== 'AuthorizationPolicy') return false;
    return policy.rules.every((_, at) => told.has(placeOf(policy, ['spec', 'rules', at])));
  };
  return remarks.filter((remark) => !isTold(remark));
}

const reasons: ReadonlySet<string> = new Set(['covered-rule', 'rule-never-matches']);
const provenOfRules: ReadonlySet<string> = new Set(['rule-without-effect', 'allow-shadowed-by-deny']);

/** What says of a policy that something is not there. */
const absences: ReadonlySet<string> = new Set([
  'selector-matches-nothing',
  'namespace-without-workloads',
  'missing-target',
  'missing-provider',
]);

/**
 * Warns of what a policy says by itself, whatever else there is: for who must not be told what there is.
 * @param settings of which the trust domains and the root namespace show in what is said
 */
export function lintAlone(
  policy: Policy,
  settings: LintRegistry['settings'],
  options: Pick<LintOptions, 'comparisons'> = {},
  locate?: PolicyLocator,
): readonly LintWarning[] {
  const registry = { workloads: new Map(), services: new Map(), settings };
  return lintPolicies([policy], registry, locate, options).filter(({ rule }) => !absences.has(rule));
}

/** A mesh of which nothing is known. */
const unknownMesh: LintRegistry['settings'] = {
  trustDomain: 'cluster.local',
  trustDomainAliases: [],
  rootNamespace: 'istio-system',
  authorizationProviders: [],
};

/** What is said of settings that are not known would be a guess. */
const ofSettings: ReadonlySet<string> = new Set(['missing-trust-domain']);

/** Warns of what each policy says by itself, where it is not even known of which mesh it is. */
export function lintWithoutWorld(
  policies: readonly Policy[],
  locate?: PolicyLocator,
  options: Pick<LintOptions, 'comparisons'> = {},
): readonly LintWarning[] {
  return policies
    .flatMap((policy) => lintAlone(policy, unknownMesh, options, locate))
    .filter(({ rule }) => !ofSettings.has(rule));
}

function inText(a: YamlPlace | undefined, b: YamlPlace | undefined): number {
  return (a?.line ?? 0) - (b?.line ?? 0) || (a?.column ?? 0) - (b?.column ?? 0);
}

function toWarning({ policy, rule, path, message, mend }: Remark, place: YamlPlace | undefined): LintWarning {
  const { kind, meta } = policy;
  const { source, line } = meta.origin;
  return {
    rule,
    object: { kind, namespace: meta.namespace, name: meta.name },
    source,
    ...(place ?? (line === undefined ? {} : { line })),
    path: formatPath(path),
    message,
    mend,
  };
}
