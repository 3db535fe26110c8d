import type { ConsolePolicyHead } from '../wire/console.ts';

/** Each word must be somewhere in the policy's key or source. */
export function filterPolicies(
  policies: readonly ConsolePolicyHead[],
  search: string,
): readonly ConsolePolicyHead[] {
  const words = search
    .toLowerCase()
    .split(/\s+/)
    .filter((word) => word !== '');
  return policies
    .filter((policy) => {
      const text = `${policy.kind}/${policy.namespace}/${policy.name} ${policy.source}`.toLowerCase();
      return words.every((word) => text.includes(word));
    })
    .toSorted((a, b) => a.namespace.localeCompare(b.namespace) || a.name.localeCompare(b.name));
}
