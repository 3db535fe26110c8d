import type { PolicyStore, ShadowStore } from '../../src/domain/ports/index.ts';
import {
  addTally,
  addWatch,
  type ShadowTally,
  type ShadowWatch,
  shadowLimits,
} from '../../src/domain/shadow/index.ts';

/** @param policies which knows what is tried */
export function memoryShadows(policies: Pick<PolicyStore, 'candidate'>): ShadowStore {
  let of: string | undefined;
  let watches: readonly ShadowWatch[] = [];
  const tallies = new Map<string, ShadowTally>();
  /** @returns whether it is this candidate that is tried; what was kept of another one goes */
  const isTried = async (candidate: string) => {
    const id = (await policies.candidate())?.id;
    if (of !== id) {
      watches = [];
      tallies.clear();
      of = id;
    }
    return id === candidate;
  };
  const kinds = () => [...tallies.values()].reduce((sum, { differences }) => sum + differences.length, 0);
  return {
    async add(candidate, watch, added) {
      if (!(await isTried(candidate))) return;
      watches = addWatch(watches, structuredClone(watch));
      for (const each of added) {
        const room = shadowLimits.inAll - kinds();
        tallies.set(each.workload, structuredClone(addTally(tallies.get(each.workload), each, room)));
      }
      const silent = [...tallies.values()].toSorted((a, b) => a.last.getTime() - b.last.getTime());
      for (const { workload } of silent.slice(0, Math.max(0, silent.length - shadowLimits.workloads)))
        tallies.delete(workload);
    },
    async seen(candidate) {
      if (!(await isTried(candidate))) return { watches: [], tallies: [] };
      const sorted = [...tallies.values()].toSorted((a, b) => (a.workload < b.workload ? -1 : 1));
      return { watches, tallies: sorted };
    },
  };
}
