import type { YamlPath } from '../../../yaml/index.ts';
import type { AuthorizationPolicy, AuthorizationRule } from '../model.ts';
import { parseConditionKey } from '../read/index.ts';

/** A value that a rule matches with. */
export interface RuleValue {
  /** The field that says the same: `principals` for conditions on `source.principal` too; else the condition's attribute. */
  readonly field: string;
  readonly negated: boolean;
  readonly value: string;
  readonly path: YamlPath;
}

/** Conditions that say what a field of source or operation says. */
const fieldOf: Readonly<Record<string, string>> = {
  'source.ip': 'ipBlocks',
  'remote.ip': 'remoteIpBlocks',
  'source.namespace': 'namespaces',
  'source.serviceAccount': 'serviceAccounts',
  'source.principal': 'principals',
  'source.trustDomain': 'trustDomains',
  'request.auth.principal': 'requestPrincipals',
  'destination.port': 'ports',
};

export function valuesOf(policy: AuthorizationPolicy): readonly RuleValue[] {
  return policy.rules.flatMap((rule, index) => valuesOfRule(rule, index));
}

export function valuesOfRule({ from, to, when }: AuthorizationRule, at: number): readonly RuleValue[] {
  const root = ['spec', 'rules', at];
  return [
    ...from.flatMap((source, index) => ofLists(source, [...root, 'from', index, 'source'])),
    ...to.flatMap((operation, index) => ofLists(operation, [...root, 'to', index, 'operation'])),
    ...when.flatMap(({ key, values, notValues }, index) => {
      const field = conditionField(key);
      const path = [...root, 'when', index];
      return [
        ...ofList(field, false, values, [...path, 'values']),
        ...ofList(field, true, notValues, [...path, 'notValues']),
      ];
    }),
  ];
}

function conditionField(key: string): string {
  const parsed = parseConditionKey(key);
  if ('message' in parsed) return key;
  return fieldOf[parsed.attribute] ?? (parsed.names.length === 0 ? parsed.attribute : key);
}

function ofLists(lists: object, path: YamlPath): readonly RuleValue[] {
  return Object.entries(lists).flatMap(([name, list]: [string, readonly string[]]) => {
    const negated = name.startsWith('not');
    const field = negated ? `${name.charAt(3).toLowerCase()}${name.slice(4)}` : name;
    return ofList(field, negated, list, [...path, name]);
  });
}

function ofList(
  field: string,
  negated: boolean,
  list: readonly string[],
  path: YamlPath,
): readonly RuleValue[] {
  return list.map((value, index) => ({ field, negated, value, path: [...path, index] }));
}

/** The trust domain that a value names, or a pattern of it; undefined where it is about something else. */
export function trustDomainIn({ field, value }: RuleValue): string | undefined {
  if (field === 'trustDomains') return value;
  const [name, ...rest] = value.split('/');
  return field === 'principals' && rest.length > 0 ? name : undefined;
}

const httpFields: ReadonlySet<string> = new Set(['requestPrincipals', 'hosts', 'methods', 'paths']);

/** Whether a value can be known of HTTP requests alone. */
export function isHttp({ field }: RuleValue): boolean {
  return httpFields.has(field) || field.startsWith('request.');
}

/** Whether a value is known by the caller's token alone. */
export function isToken({ field }: RuleValue): boolean {
  return field === 'requestPrincipals' || field.startsWith('request.auth.');
}
