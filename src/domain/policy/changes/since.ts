import { compareText } from '../../../kernel/index.ts';
import type { PolicyObjectKey, PolicyRevision, StoredPolicy } from '../../ports/index.ts';
import { policyKey } from '../read/index.ts';

/** An object that says something else at one revision than at another. */
export interface DifferingObject {
  readonly key: PolicyObjectKey;
  /** Undefined: it was not there. */
  readonly before: string | undefined;
  /** Undefined: it is not there any more. */
  readonly after: string | undefined;
}

/** One that says something else now than an author had before them. */
export interface ChangedObject extends DifferingObject {
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
  const by = new Map<string, PolicyRevision[]>();
  for (const { objects, ...head } of changes)
    for (const key of objects) {
      const known = by.get(policyKey(key));
      if (known) known.push(head);
      else by.set(policyKey(key), [head]);
    }
  return differingObjects(before, after).map((each) => ({ ...each, by: by.get(policyKey(each.key)) ?? [] }));
}

/** What differs between what was kept at two moments, by kind, namespace and name. */
export function differingObjects(
  before: readonly StoredPolicy[],
  after: readonly StoredPolicy[],
): readonly DifferingObject[] {
  const [was, is] = [textsOf(before), textsOf(after)];
  const keys = new Map([...before, ...after].map((each) => [policyKey(each), each]));
  return [...keys]
    .map(([id, { kind, namespace, name }]) => ({
      key: { kind, namespace, name },
      before: was.get(id),
      after: is.get(id),
    }))
    .filter((each) => each.before !== each.after)
    .toSorted((a, b) => compareText(policyKey(a.key), policyKey(b.key)));
}

function textsOf(policies: readonly StoredPolicy[]): ReadonlyMap<string, string | undefined> {
  return new Map(policies.map((each) => [policyKey(each), each.text]));
}
