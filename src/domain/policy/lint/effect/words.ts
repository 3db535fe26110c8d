import type { PolicyRequest } from '../../decide/index.ts';
import type { RuleOf } from '../../exact/index.ts';
import type { AuthorizationPolicy } from '../../model.ts';
import { policyKey } from '../../read/index.ts';
import type { Remark } from '../context.ts';
import type { Place } from './places.ts';

export function keyOfPolicy({ kind, meta }: AuthorizationPolicy): string {
  return policyKey({ kind, namespace: meta.namespace, name: meta.name });
}

/** `rule 0 of AuthorizationPolicy/shop/a and rule 2`, as the author of a policy reads it. */
export function rulesText(rules: readonly RuleOf[], reader: AuthorizationPolicy): string {
  const texts = rules.map(({ policy, rule }) =>
    policy === reader ? `rule ${rule}` : `rule ${rule} of ${keyOfPolicy(policy)}`,
  );
  return listed(texts);
}

/** Policies by their names, each once. */
export function policiesText(rules: readonly RuleOf[]): string {
  return listed([...new Set(rules.map(({ policy }) => keyOfPolicy(policy)))]);
}

/** The first few, and how many more. */
export function listed(texts: readonly string[]): string {
  if (texts.length > 4) return `${texts.slice(0, 3).join(', ')} and ${texts.length - 3} more`;
  return texts.length < 2 ? texts.join('') : `${texts.slice(0, -1).join(', ')} and ${texts.at(-1)}`;
}

/** A request at a place, as a warning shows it. */
export function witnessAt(request: PolicyRequest, { workload, port }: Place): NonNullable<Remark['witness']> {
  return {
    places: [{ workload: workload.id, port }],
    witness: { request: { ...request, destinationPort: port }, providers: {} },
  };
}
