import type {
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
  return {
    current: async () => {
      const newest = new Map(revisions.flatMap(({ objects }) => objects.map((each) => [keyOf(each), each])));
      return {
        revision: revisions.length,
        policies: [...newest.values()].filter(({ text }) => text !== undefined).toSorted(byKey),
      };
    },
    apply: async ({ expected, objects, ...head }: PolicyChange) => {
      if (expected !== revisions.length) throw new CitadelError('Aborted', 'the policies have been changed');
      const revision = revisions.length + 1;
      const versions = objects.map((each) => ({ ...each, revision })).toSorted(byKey);
      revisions.push({ ...head, revision, objects: versions });
      return revision;
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
