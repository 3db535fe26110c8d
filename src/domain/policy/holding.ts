import type { Workload } from '../mesh/index.ts';
import type { Policy } from './model.ts';
import { type PolicyIndex, policiesOf } from './select.ts';

type ByWorkload = ReadonlyMap<string, readonly Policy[]>;

/**
 * policiesOf for all workloads. Those that no selector and no target tells apart are looked at once; lists with the same
 * members are the same list, and where nothing has changed it is the one of `before`: who depends on it sees so by identity.
 */
export function policiesByWorkload(
  index: PolicyIndex,
  workloads: Iterable<Workload>,
  before?: ByWorkload,
): ByWorkload {
  const alikeOf = likeness(index);
  const alike = new Map<string, readonly Policy[]>();
  const lists = new Interned();
  const holding = new Map<string, readonly Policy[]>();
  for (const workload of workloads) {
    const key = alikeOf(workload);
    const applying = alike.get(key) ?? policiesOf(index, workload);
    alike.set(key, applying);
    holding.set(workload.id, lists.give(applying, before?.get(workload.id)));
  }
  return holding;
}

/** Says of a workload all that a policy of the index can ask: equal texts are held by the same policies. */
function likeness({ byNamespace, servicesOf }: PolicyIndex): (workload: Workload) => string {
  const labels = new Map<string, Set<string>>();
  const targets = new Set<string>();
  for (const policy of [...byNamespace.values()].flat()) {
    for (const [key, value] of Object.entries(policy.selector ?? {}))
      labels.set(key, (labels.get(key) ?? new Set()).add(value));
    if (policy.kind === 'PeerAuthentication') continue;
    for (const { name } of policy.targetRefs) targets.add(`${policy.meta.namespace}/${name}`);
  }
  return (workload) => {
    const own = [...labels].filter(([key, values]) => values.has(workload.labels[key] ?? ''));
    const behind = [...(servicesOf.get(workload.id) ?? [])].filter((service) => targets.has(service));
    return JSON.stringify([
      workload.namespace,
      own.map(([key]) => [key, workload.labels[key]]),
      behind.toSorted(),
    ]);
  };
}

/** One list of each content. */
class Interned {
  readonly #numbers = new Map<Policy, number>();
  readonly #lists = new Map<string, readonly Policy[]>();

  /** @param preferred is taken where it has this content and no other list has been given for it yet */
  give(list: readonly Policy[], preferred: readonly Policy[] | undefined): readonly Policy[] {
    const key = this.#key(list);
    const known = this.#lists.get(key);
    if (known) return known;
    const given = preferred && this.#key(preferred) === key ? preferred : list;
    this.#lists.set(key, given);
    return given;
  }

  #key(list: readonly Policy[]): string {
    return list.map((policy) => this.#number(policy)).join();
  }

  #number(policy: Policy): number {
    const number = this.#numbers.get(policy) ?? this.#numbers.size;
    this.#numbers.set(policy, number);
    return number;
  }
}
