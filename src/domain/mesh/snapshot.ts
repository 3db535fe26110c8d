import { once } from '../../kernel/index.ts';
import { wantedKeySets } from '../jwks/index.ts';
import { type Policy, policyHash, precedence } from '../policy/index.ts';
import type { MeshContent } from '../ports/index.ts';
import { contentHash } from './content-hash.ts';
import type { KeySetTexts, MeshSettings, MeshSnapshot, Service, Workload } from './model.ts';

/** Each object's hash, kept beside the snapshot so that what did not change stays the very same object. */
const hashOf = once<object, string>(contentHash);

/**
 * Puts what all sources give into one snapshot. Objects are sorted, so that the order in which sources tell them does
 * not count; where two sources name the same object, the first source's stands. What is as it was in `previous` is the
 * same object there and here: whoever depends on it can see by identity that nothing changed.
 */
export function composeSnapshot(
  settings: MeshSettings,
  contents: readonly MeshContent[],
  previous?: MeshSnapshot,
  fetched: KeySetTexts = new Map(),
): MeshSnapshot {
  const workloads = collect<Workload>(
    contents.flatMap((content) => content.workloads),
    ({ id }) => id,
    previous?.workloads,
  );
  const services = collect<Service>(
    contents.flatMap((content) => content.services),
    ({ id }) => id,
    previous?.services,
  );
  const policyId = ({ kind, meta }: MeshContent['policies'][number]) =>
    `${kind}/${meta.namespace}/${meta.name}`;
  const before = new Map((previous?.policies ?? []).map((policy) => [policyId(policy), policy]));
  const policies = [
    ...collect(
      contents.flatMap((content) => content.policies),
      policyId,
      before,
    ).values(),
  ];
  const keySets = keySetsOf(policies, fetched);
  const version = contentHash([
    settings,
    ...[...workloads.values(), ...services.values()].map((each) => hashOf(each)),
    ...policies.map(policyHash),
    // Made anew, a policy says the same and may come after another one.
    ...precedence(policies),
    keySets,
  ]);
  return { version, settings, workloads, services, policies, keySets };
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

function collect<T extends object>(
  values: readonly T[],
  idOf: (value: T) => string,
  previous: ReadonlyMap<string, T> | undefined,
): ReadonlyMap<string, T> {
  const byId = new Map<string, T>();
  for (const value of values) {
    const id = idOf(value);
    if (!byId.has(id)) byId.set(id, value);
  }
  const sorted = [...byId].toSorted(([a], [b]) => (a < b ? -1 : 1));
  return new Map(
    sorted.map(([id, value]) => {
      const old = previous?.get(id);
      return [id, old !== undefined && (old === value || hashOf(old) === hashOf(value)) ? old : value];
    }),
  );
}
