import type { PolicyMeta } from '../model.ts';

/** One rule of one policy; `rule` counts from 0. */
export interface RuleReference {
  readonly namespace: string;
  readonly name: string;
  readonly rule: number;
}

export function ruleReference({ namespace, name }: PolicyMeta, rule: number): RuleReference {
  return { namespace, name, rule };
}

/** How a rule is called inside the proxy, and so in its access log. */
export function ruleId({ namespace, name, rule }: RuleReference): string {
  return `ns[${namespace}]-policy[${name}]-rule[${rule}]`;
}

/** Names as Kubernetes takes them: a proxy that lies must not bring any other text along. */
const idPattern = /^ns\[([a-z0-9-]{1,63})\]-policy\[([a-z0-9.-]{1,253})\]-rule\[(0|[1-9][0-9]{0,8})\]$/;

/** Undefined for a name that no rule has. */
export function parseRuleId(id: string): RuleReference | undefined {
  const [, namespace, name, rule] = idPattern.exec(id) ?? [];
  if (namespace === undefined || name === undefined || rule === undefined) return undefined;
  return { namespace, name, rule: Number(rule) };
}
