import { compareText, sameMembers } from '../../kernel/index.ts';
import { wantedKeySets } from '../jwks/index.ts';
import { type Policy, policyHash, policyKeyOf, precedence } from '../policy/index.ts';
import type { MeshContent } from '../ports/index.ts';
import type { TrustBundleSnapshot } from '../trust/index.ts';
import { contentHash } from './content-hash.ts';
import { hashOf, mergeContents } from './merge.ts';
import type { CandidatePolicies, KeySetTexts, MeshSettings, MeshSnapshot, Workload } from './model.ts';

/** What a snapshot has besides what sources give. */
export interface SnapshotParts {
  readonly previous?: MeshSnapshot | undefined;
  /** What was fetched; default: nothing. */
  readonly keySets?: KeySetTexts | undefined;
  /** That proxies may ask for; default: none. */
  readonly bundles?: readonly TrustBundleSnapshot[];
  /** Which workloads an operator made strict; default: none. */
  readonly isStrict?: ((workload: Workload) => boolean) | undefined;
  /** What all sources would give with the change that is tried; default: none is. */
  readonly candidate?: { readonly id: string; readonly contents: readonly MeshContent[] } | undefined;
}

/**
 * Puts what all sources give into one snapshot. Objects are sorted, so that the order in which sources tell them does
 * not count. What is as it was in `previous` is the same object there and here: whoever depends on it can see by identity
 * that nothing changed.
 * @param contents those of the sources that are trusted more first, see mergeContents
 */
export function composeSnapshot(
  settings: MeshSettings,
  contents: readonly MeshContent[],
  {
    previous,
    keySets: fetched = new Map(),
    bundles = [],
    isStrict = () => false,
    candidate: tried,
  }: SnapshotParts = {},
): MeshSnapshot {
  const merged = mergeContents(contents);
  const workloads = kept(merged.workloads, previous?.workloads);
  const services = kept(merged.services, previous?.services);
  const before = new Map((previous?.policies ?? []).map((policy) => [policyKeyOf(policy), policy]));
  const policies = [...kept(merged.policies, before).values()];
  const keySets = keySetsOf(policies, fetched);
  const withProxy = [...workloads.values()].filter(({ proxy }) => proxy !== 'none');
  const strict = new Set(withProxy.filter(isStrict).map(({ id }) => id));
  const candidate = tried && {
    id: tried.id,
    policies: candidatePolicies(mergeContents(tried.contents).policies, policies, previous?.candidate),
  };
  const version = contentHash([
    settings,
    ...[...workloads.values(), ...services.values()].map((each) => hashOf(each)),
    ...policies.map(policyHash),
    // Made anew, a policy says the same and may come after another one.
    ...precedence(policies),
    keySets,
    ...strict,
    bundles.map(bundleId),
    ...(candidate ? [candidate.id, ...candidate.policies.map(policyHash)] : []),
  ]);
  return {
    version,
    settings,
    workloads,
    services,
    policies,
    strict,
    keySets,
    shadowed: merged.shadowed,
    bundles: sameBundles(bundles, previous?.bundles),
    candidate,
  };
}

/** What would hold: the very objects that hold, wherever it says the same. */
function candidatePolicies(
  tried: ReadonlyMap<string, Policy>,
  holding: readonly Policy[],
  previous: CandidatePolicies | undefined,
): readonly Policy[] {
  const byKey = (policies: readonly Policy[] = []) =>
    new Map(policies.map((each) => [policyKeyOf(each), each]));
  const known = [byKey(holding), byKey(previous?.policies)];
  return [...tried]
    .toSorted(([a], [b]) => compareText(a, b))
    .map(([key, policy]) => {
      const hash = policyHash(policy);
      const same = known
        .map((policies) => policies.get(key))
        .find((each) => each && policyHash(each) === hash);
      return same ?? policy;
    });
}

/** What of a bundle proxies are given. */
export const bundleId = ({ trustDomain, version, crls }: TrustBundleSnapshot) =>
  `${trustDomain} ${version} ${crls?.version ?? ''}`;

/** The list that there was, where it has the same content: a bundle is read anew more often than it changes. */
function sameBundles(
  bundles: readonly TrustBundleSnapshot[],
  before: readonly TrustBundleSnapshot[] = [],
): readonly TrustBundleSnapshot[] {
  return sameMembers(bundles.map(bundleId), before.map(bundleId)) ? before : bundles;
}

/** Of what was fetched, that which policies want, in one order. */
export function keySetsOf(policies: readonly Policy[], fetched: KeySetTexts): KeySetTexts {
  const ids = [...wantedKeySets(policies).keys()].toSorted();
  return new Map(
    ids.flatMap((id) => {
      const jwks = fetched.get(id);
      return jwks === undefined ? [] : [[id, jwks] as const];
    }),
  );
}

/** In one order, and the same objects wherever they say the same. */
function kept<T extends object>(
  values: ReadonlyMap<string, T>,
  previous: ReadonlyMap<string, T> | undefined,
): ReadonlyMap<string, T> {
  const sorted = [...values].toSorted(([a], [b]) => compareText(a, b));
  return new Map(
    sorted.map(([id, value]) => {
      const old = previous?.get(id);
      return [id, old !== undefined && (old === value || hashOf(old) === hashOf(value)) ? old : value];
    }),
  );
}
