import { formatPath, type YamlPlace } from '../../../yaml/index.ts';
import type { Policy } from '../model.ts';
import { type PolicyIdentity, type PolicyLocator, policyKey } from '../read/index.ts';
import { abstractRegistry, type KnownMesh } from './abstract.ts';
import {
  createContext,
  type LintContext,
  type LintOptions,
  type LintRegistry,
  type Remark,
} from './context.ts';
import { effects } from './effect/index.ts';
import { evasions } from './evasion.ts';
import { identities } from './identity.ts';
import { keys } from './keys.ts';
import { missingMetadata } from './metadata.ts';
import { ownTrustDomain, possibleMeshes } from './possible-meshes.ts';
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
  /** A request that shows it, where one does, and a port that it goes to. */
  readonly witness?: NonNullable<Remark['witness']>;
}

type Check = (context: LintContext) => readonly Remark[];

/** What is seen by what is written, and by who is there. */
const written: readonly Check[] = [
  missingThings,
  missingMetadata,
  httpOnTcp,
  tokensOnTcp,
  identities,
  texts,
  evasions,
  keys,
  reach,
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
  return warningsOf(remarksOf([...written, effects], policies, registry, options), policies, locate);
}

function remarksOf(
  checks: readonly Check[],
  policies: readonly Policy[],
  registry: LintRegistry,
  options: LintOptions,
): readonly Remark[] {
  const context = createContext(policies, registry, options);
  return checks.flatMap((check) => check(context));
}

function warningsOf(
  remarks: readonly Remark[],
  policies: readonly Policy[],
  locate: PolicyLocator,
): readonly LintWarning[] {
  const order = new Map(policies.map((policy, index) => [policy, index]));
  return onceEach(remarks)
    .map((remark) => ({ remark, place: locate(remark.policy, remark.path) }))
    .sort(
      (a, b) =>
        (order.get(a.remark.policy) ?? 0) - (order.get(b.remark.policy) ?? 0) || inText(a.place, b.place),
    )
    .map(({ remark, place }) => toWarning(remark, place));
}

/** Of what never matches for what is written in it, that it never matches is not told as well. */
function onceEach(remarks: readonly Remark[]): readonly Remark[] {
  const told = new Set(remarks.filter(({ rule }) => neverMatching.has(rule)).map(placeOf));
  const isTold = (remark: Remark): boolean =>
    (remark.rule === 'value-without-effect' && told.has(placeOf(remark))) ||
    (remark.because !== undefined && told.has(placeOf({ ...remark, path: remark.because })));
  return remarks.filter((remark) => !isTold(remark));
}

/** Of one value, and why it never matches. */
const neverMatching: ReadonlySet<string> = new Set([
  'principal-with-scheme',
  'identity-in-upper-case',
  'path-never-matches',
  'host-never-matches',
  'method-in-lower-case',
  'sni-in-upper-case',
]);

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
): readonly LintWarning[] {
  return warningsOf(
    [
      ...writtenAlone(policy, settings),
      ...inAnyMesh([policy], settings, { ...options, anyMesh: 'others-too' }),
    ],
    [policy],
    () => undefined,
  );
}

function writtenAlone(policy: Policy, settings: LintRegistry['settings']): readonly Remark[] {
  const registry = { workloads: new Map(), services: new Map(), settings };
  return remarksOf(written, [policy], registry, {}).filter(({ rule }) => !absences.has(rule));
}

/** Where in which policy. */
function placeOf({ policy: { kind, meta }, path }: Remark): string {
  return `${policyKey({ kind, namespace: meta.namespace, name: meta.name })} ${formatPath(path)}`;
}

function subjectOf(remark: Remark): string {
  return `${remark.rule} ${placeOf(remark)}`;
}

/** What is in vain wherever policies hold, together or by themselves, and whichever of the possible meshes it is. */
function inAnyMesh(
  policies: readonly Policy[],
  mesh: KnownMesh & Partial<LintRegistry['settings']>,
  options: LintOptions,
): readonly Remark[] {
  const meshes = possibleMeshes(policies, mesh);
  if (!meshes) return policies.slice(0, 1).map(unknownTrustDomain);
  const [first = [], ...others] = meshes.map((each) => inMesh(policies, each, options));
  const told = others.map((remarks) => new Set(remarks.map(subjectOf)));
  return first.filter((remark) => told.every((each) => each.has(subjectOf(remark))));
}

function unknownTrustDomain(policy: Policy): Remark {
  return {
    policy,
    rule: 'effects-not-compared',
    path: [],
    message: `many trust domains are named beside ${ownTrustDomain}, which may stand for any of them: what has no effect was not looked for`,
    mend: 'say which is the mesh’s own',
  };
}

function inMesh(
  policies: readonly Policy[],
  mesh: KnownMesh & Partial<LintRegistry['settings']>,
  options: LintOptions,
): readonly Remark[] {
  const registry = abstractRegistry(policies, mesh);
  const nowhere = {
    workloads: new Map(),
    services: new Map(),
    settings: { ...mesh, authorizationProviders: [] },
  };
  return remarksOf([effects], policies, registry ?? nowhere, options);
}

/** A mesh of which nothing is known. */
const unknownMesh: KnownMesh = {
  trustDomain: ownTrustDomain,
  trustDomainAliases: [],
  rootNamespace: 'istio-system',
};

/** What is said of settings that are not known would be a guess. */
const ofSettings: ReadonlySet<string> = new Set(['missing-trust-domain', 'missing-provider']);

export interface WithoutWorld extends Pick<LintOptions, 'comparisons'> {
  /** As far as that is known. */
  readonly mesh?: KnownMesh;
  /** Whether the policies are all that hold; else others may too. */
  readonly areAll?: boolean;
}

/**
 * Warns of what policies say where it is not known who is there: whatever workloads there are, in however many ways they are
 * selected together.
 */
export function lintWithoutWorld(
  policies: readonly Policy[],
  locate: PolicyLocator = () => undefined,
  { mesh = unknownMesh, areAll = false, ...options }: WithoutWorld = {},
): readonly LintWarning[] {
  const settings = { ...mesh, authorizationProviders: [] };
  const alone = policies.flatMap((policy) => writtenAlone(policy, settings));
  return warningsOf(
    [
      ...alone.filter(({ rule }) => !ofSettings.has(rule)),
      ...inAnyMesh(policies, mesh, { ...options, anyMesh: areAll ? 'these-alone' : 'others-too' }),
    ],
    policies,
    locate,
  );
}

function inText(a: YamlPlace | undefined, b: YamlPlace | undefined): number {
  return (a?.line ?? 0) - (b?.line ?? 0) || (a?.column ?? 0) - (b?.column ?? 0);
}

function toWarning(
  { policy, rule, path, message, mend, witness }: Remark,
  place: YamlPlace | undefined,
): LintWarning {
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
    ...(witness && { witness }),
  };
}
