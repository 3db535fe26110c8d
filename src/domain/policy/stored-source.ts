import { type Clock, describeError } from '../../kernel/index.ts';
import type { MeshContent, MeshSource, PolicyStore, RejectedObject } from '../ports/index.ts';
import { formatPolicyProblem } from './read/index.ts';
import { readStoredPolicies } from './stored.ts';

export interface StoredPolicySource extends MeshSource {
  /** To be called after each change of the store. */
  refresh(): Promise<void>;
}

/** The policies that are kept in the store, as a source of the mesh. */
export function createStoredPolicySource(store: PolicyStore, clock: Clock): StoredPolicySource {
  let content: MeshContent | undefined;
  let currentAt: Date | undefined;
  let problem: string | undefined;
  let rejected: readonly RejectedObject[] = [];
  let changed = () => {};

  async function refresh(): Promise<void> {
    try {
      const { policies, problems } = readStoredPolicies((await store.current()).policies);
      content = { workloads: [], services: [], policies };
      rejected = problems.map((each) => ({
        object: each.source,
        reason: formatPolicyProblem(each),
        kept: false,
      }));
      currentAt = clock.now();
      problem = undefined;
    } catch (error) {
      problem = describeError(error);
    }
    changed();
  }

  return {
    name: 'store',
    start(notify) {
      changed = notify;
      return refresh();
    },
    refresh,
    content: () => content,
    state: () => ({ name: 'store', currentAt, problem, rejected, shadowed: [], warnings: [] }),
    close: () => Promise.resolve(),
  };
}
