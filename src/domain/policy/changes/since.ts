import { compareText } from '../../../kernel/index.ts';
import type { PolicyObjectKey, PolicyRevision, StoredPolicy } from '../../ports/index.ts';
import { policyKey } from '../read/index.ts';

/** An object that says something else now than an author had before them. */
export interface ChangedObject {
  readonly key: PolicyObjectKey;
  /** Undefined: it was not there. */
  readonly before: string | undefined;
  /** Undefined: it is not there any more. */
  readonly after: string | undefined;
  /** Who did that, when and why; newest first. */
  readonly by: readonly PolicyRevision[];
}

type Change = PolicyRevision & { readonly objects: readonly PolicyObjectKey[] };

/**
 * What changed from one revision to another, by kind, namespace and name. What was changed and changed back is not there.
 * @param changes those in between, newest first
 */
export function changedObjects(
  before: readonly StoredPolicy[],
  after: readonly StoredPolicy[],
  changes: readonly Change[],
): readonly ChangedObject[] {
  const [was, is] = [textsOf(before), textsOf(after)];
  const keys = new Map<string, { readonly key: PolicyObjectKey; readonly by: PolicyRevision[] }>();
  for (const { objects, ...head } of changes)
    for (const { kind, namespace, name } of objects) {
      const key = { kind, namespace, name };
      const known = keys.get(policyKey(key));
      if (known) known.by.push(head);
      else keys.set(policyKey(key), { key, by: [head] });
    }
  return [...keys]
    .map(([id, { key, by }]) => ({ key, by, before: was.get(id), after: is.get(id) }))
    .filter((each) => each.before !== each.after)
    .toSorted((a, b) => compareText(policyKey(a.key), policyKey(b.key)));
}

function textsOf(policies: readonly StoredPolicy[]): ReadonlyMap<string, string | undefined> {
  return new Map(policies.map((each) => [policyKey(each), each.text]));
}
