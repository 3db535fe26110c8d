import { compareText } from '../../kernel/index.ts';
import { wantedKeySets } from '../jwks/index.ts';
import { type Policy, policyHash, precedence } from '../policy/index.ts';
import type { MeshContent } from '../ports/index.ts';
import { contentHash } from './content-hash.ts';
import { hashOf, keyOf, mergeContents } from './merge.ts';
import type { KeySetTexts, MeshSettings, MeshSnapshot, Workload } from './model.ts';

/**
 * Puts what all sources give into one snapshot. Objects are sorted, so that the order in which sources tell them does
 * not count. What is as it was in `previous` is the same object there and here: whoever depends on it can see by identity
 * that nothing changed.
 * @param contents those of the sources that are trusted more first, see mergeContents
 */
export function composeSnapshot(
  settings: MeshSettings,
  contents: readonly MeshContent[],
  previous?: MeshSnapshot,
  fetched: KeySetTexts = new Map(),
  isStrict: (workload: Workload) => boolean = () => false,
): MeshSnapshot {
  const merged = mergeContents(contents);
  const workloads = kept(merged.workloads, previous?.workloads);
  const services = kept(merged.services, previous?.services);
  const before = new Map((previous?.policies ?? []).map((policy) => [keyOf(policy), policy]));
  const policies = [...kept(merged.policies, before).values()];
  const keySets = keySetsOf(policies, fetched);
  const strict = new Set([...workloads.values()].filter(isStrict).map(({ id }) => id));
  const version = contentHash([
    settings,
    ...[...workloads.values(), ...services.values()].map((each) => hashOf(each)),
    ...policies.map(policyHash),
    // Made anew, a policy says the same and may come after another one.
    ...precedence(policies),
    keySets,
    ...strict,
  ]);
  return { version, settings, workloads, services, policies, strict, keySets, shadowed: merged.shadowed };
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
