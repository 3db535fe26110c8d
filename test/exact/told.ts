import type { PolicyWorld } from '../../src/domain/policy/index.ts';

/** Policies as one can read them in a failure: without what is empty in them. */
export function told({ policies, strict }: PolicyWorld): string {
  const lines = policies.map((policy) => JSON.stringify(policy, short));
  return [...lines, ...(strict.size > 0 ? [`strict: ${[...strict].join(', ')}`] : [])].join('\n');
}

function short(key: string, value: unknown): unknown {
  if (Array.isArray(value) && value.length === 0) return undefined;
  if (value instanceof Map) return Object.fromEntries(value);
  if (
    key === 'meta' &&
    typeof value === 'object' &&
    value !== null &&
    'namespace' in value &&
    'name' in value
  )
    return `${String(value.namespace)}/${String(value.name)}`;
  return key === 'kind' || value === false ? undefined : value;
}
