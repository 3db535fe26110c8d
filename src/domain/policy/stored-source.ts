import { type Clock, describeError } from '../../kernel/index.ts';
import type { MeshCandidate, MeshContent, MeshSource, PolicyStore, RejectedObject } from '../ports/index.ts';
import { formatPolicyProblem } from './read/index.ts';
import { readStoredPolicies, withChange } from './stored.ts';

export interface StoredPolicySource extends MeshSource {
  /** To be called after each change of the store. */
  refresh(): Promise<void>;
}

/** The policies that are kept in the store, as a source of the mesh. */
export function createStoredPolicySource(store: PolicyStore, clock: Clock): StoredPolicySource {
  let content: MeshContent | undefined;
  let candidate: MeshCandidate | undefined;
  let warnings: readonly string[] = [];
  let currentAt: Date | undefined;
  let problem: string | undefined;
  let rejected: readonly RejectedObject[] = [];
  let changed = () => {};

  async function refresh(): Promise<void> {
    try {
      const stored = (await store.current()).policies;
      const { policies, problems } = readStoredPolicies(stored);
      content = { workloads: [], services: [], policies };
      const tried = await store.candidate();
      const reading = tried && readStoredPolicies(withChange(stored, tried.objects));
      const unread = reading?.problems.find(({ source }) => !problems.some((each) => each.source === source));
      // Half of it would be another change.
      candidate =
        tried && reading && !unread
          ? { id: tried.id, content: { workloads: [], services: [], policies: reading.policies } }
          : undefined;
      warnings = unread ? [`the candidate is not tried: ${formatPolicyProblem(unread)}`] : [];
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
    candidate: () => candidate,
    state: () => ({ name: 'store', currentAt, problem, rejected, shadowed: [], warnings }),
    close: () => Promise.resolve(),
  };
}
