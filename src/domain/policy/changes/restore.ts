import type { PolicyObjectKey, StoredPolicy } from '../../ports/index.ts';
import { policyKey } from '../read/index.ts';

/** What was kept at an earlier revision is to hold again. */
export interface PolicyRestore {
  /** 0: as before the first change, when nothing was kept. */
  readonly revision: number;
  /** Of these alone; none: of all. */
  readonly keys: readonly PolicyObjectKey[];
}

/** The change that makes of what is kept now what was kept then. */
export function restoringChange(
  then: readonly StoredPolicy[],
  now: readonly StoredPolicy[],
  { revision, keys }: PolicyRestore,
): {
  readonly texts: readonly { readonly source: string; readonly text: string }[];
  readonly remove: readonly PolicyObjectKey[];
} {
  const asked = new Set(keys.map(policyKey));
  const isAsked = (key: PolicyObjectKey) => asked.size === 0 || asked.has(policyKey(key));
  const texts = then
    .filter(isAsked)
    .map((each) => ({ source: `${policyKey(each)} of revision ${revision}`, text: each.text ?? '' }));
  const kept = new Set(then.map(policyKey));
  const remove = now
    .filter((each) => isAsked(each) && !kept.has(policyKey(each)))
    .map(({ kind, namespace, name }) => ({ kind, namespace, name }));
  return { texts, remove };
}
