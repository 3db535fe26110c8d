import type {
  PolicyCandidate,
  PolicyChange,
  PolicyObjectKey,
  PolicyRevision,
  PolicyStore,
  StoredPolicy,
} from '../../src/domain/ports/index.ts';
import { CitadelError } from '../../src/kernel/index.ts';

const keyOf = ({ kind, namespace, name }: PolicyObjectKey) => `${kind}/${namespace}/${name}`;
const byKey = (a: PolicyObjectKey, b: PolicyObjectKey) => (keyOf(a) < keyOf(b) ? -1 : 1);

export function memoryPolicies(): PolicyStore {
  const revisions: (PolicyRevision & { readonly objects: readonly StoredPolicy[] })[] = [];
  let candidate: PolicyCandidate | undefined;
  const holding = (until: number) => {
    const upTo = revisions.slice(0, until);
    const newest = new Map(upTo.flatMap(({ objects }) => objects.map((each) => [keyOf(each), each])));
    return [...newest.values()].filter(({ text }) => text !== undefined).toSorted(byKey);
  };
  return {
    current: async () => ({ revision: revisions.length, policies: holding(revisions.length) }),
    at: async (asked) => {
      if (asked < 0 || asked > revisions.length)
        throw new CitadelError('NotFound', `the policies have no revision ${asked}`);
      return holding(asked);
    },
    apply: async ({ expected, objects, promotes, ...head }: PolicyChange) => {
      if (expected !== revisions.length) throw new CitadelError('Aborted', 'the policies have been changed');
      if (promotes !== undefined) {
        if (promotes !== candidate?.id) throw new CitadelError('Aborted', 'the candidate is another one');
        candidate = undefined;
      }
      const revision = revisions.length + 1;
      const versions = objects.map((each) => ({ ...each, revision })).toSorted(byKey);
      revisions.push({ ...head, revision, objects: versions });
      return revision;
    },
    candidate: async () => candidate,
    propose: async (proposed) => {
      if (candidate) throw new CitadelError('AlreadyExists', 'there is another candidate');
      if (proposed.base !== revisions.length)
        throw new CitadelError('Aborted', 'the policies have been changed');
      candidate = { ...proposed, objects: proposed.objects.toSorted(byKey) };
    },
    withdraw: async (id) => {
      if (candidate?.id !== id) throw new CitadelError('NotFound', 'there is no such candidate');
      candidate = undefined;
    },
    history: async ({ key, limit, pageToken }) => {
      const before = pageToken === undefined ? Infinity : Number(pageToken);
      const matching = revisions
        .toReversed()
        .filter(({ revision }) => revision < before)
        .map((each) => ({
          ...each,
          objects: each.objects.filter((object) => !key || keyOf(object) === keyOf(key)),
        }))
        .filter(({ objects }) => !key || objects.length > 0);
      const items = matching.slice(0, limit);
      const last = items.at(-1);
      return matching.length > limit && last ? { items, nextPageToken: String(last.revision) } : { items };
    },
  };
}
