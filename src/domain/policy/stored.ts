import type { PolicyObjectKey, StoredPolicy } from '../ports/index.ts';
import type { Policy } from './model.ts';
import { type PolicyProblem, policyKey, readPolicies } from './read/index.ts';

/** Where a policy says that it stands when it is kept here. */
export function storedOrigin({ kind, namespace, name }: PolicyObjectKey): string {
  return `store/${kind}/${namespace}/${name}`;
}

/** Whether a policy is kept here, and so changed here; by where it says that it stands. */
export function isStoredOrigin(source: string): boolean {
  return source.startsWith('store/');
}

/** What the store holds, read: it was valid when it was stored, by the rules of the program of that time. */
export function readStoredPolicies(stored: readonly StoredPolicy[]): {
  readonly policies: readonly Policy[];
  readonly problems: readonly PolicyProblem[];
} {
  const readings = stored.map(({ text = '', revision, ...key }) => {
    const { policies, problems } = readPolicies(text, { source: storedOrigin(key) });
    // A revision counts as a generation: it grows with each change of the object.
    const numbered = policies.map((policy) => ({
      ...policy,
      meta: { ...policy.meta, generation: revision },
    }));
    return { policies: numbered, problems };
  });
  return {
    policies: readings.flatMap(({ policies }) => policies),
    problems: readings.flatMap(({ problems }) => problems),
  };
}

/** What is stored, as a change would make it. */
export function withChange(
  stored: readonly StoredPolicy[],
  objects: readonly Omit<StoredPolicy, 'revision'>[],
): readonly StoredPolicy[] {
  const touched = new Set(objects.map(policyKey));
  const next = stored.reduce((highest, { revision }) => Math.max(highest, revision), 0) + 1;
  return [
    ...stored.filter((each) => !touched.has(policyKey(each))),
    ...objects.filter(({ text }) => text !== undefined).map((each) => ({ ...each, revision: next })),
  ];
}
