import { once } from '../../../kernel/index.ts';
import type { YamlPath } from '../../../yaml/index.ts';
import type { AuthorizationPolicy, AuthorizationRule, OperationMatch, SourceMatch } from '../model.ts';
import { conditionSubject, isHttpOnly } from './condition-key.ts';
import { type Facts, type FieldSubject, type Matches, matcher } from './matchers.ts';

/** One attribute that a rule speaks of: one of `values` matches, if there are any, and none of `notValues`. */
export interface Field {
  readonly subject: FieldSubject;
  readonly values: readonly string[];
  readonly notValues: readonly string[];
  /** Of what both lists are parts, within the rule: `from[0].source`. */
  readonly within: YamlPath;
  /** What they are called there. */
  readonly names: readonly [values: string, notValues: string];
  readonly httpOnly: boolean;
  readonly matches: Matches;
}

/** A rule in one shape for all that it can say: any of each outer list, all of each inner one. */
export interface RuleFields {
  readonly from: readonly (readonly Field[])[];
  readonly to: readonly (readonly Field[])[];
  readonly when: readonly Field[];
}

export function fieldsOf(rule: AuthorizationRule, policy: AuthorizationPolicy): RuleFields {
  const { namespace } = policy.meta;
  return {
    from: rule.from.map((source, index) =>
      listFields(sourceLists, source, namespace, ['from', index, 'source']),
    ),
    to: rule.to.map((operation, index) =>
      listFields(operationLists, operation, namespace, ['to', index, 'operation']),
    ),
    when: rule.when.map(({ key, ...lists }, index) =>
      field(conditionSubject(key), lists, namespace, ['when', index], ['values', 'notValues']),
    ),
  };
}

/** What of a rule is compared, without what it says nothing of. */
export interface UsedFields extends RuleFields {
  /** Whether it asks for what HTTP alone has. */
  readonly asksHttp: boolean;
}

/** Worked out once, for a rule is compared with very many requests. */
export function usedFieldsOf(rule: AuthorizationRule, policy: AuthorizationPolicy): UsedFields {
  const byNamespace = usedFields(rule);
  const known = byNamespace.get(policy.meta.namespace);
  if (known) return known;
  const { from, to, when } = fieldsOf(rule, policy);
  const used = {
    from: from.map((fields) => fields.filter(isUsed)),
    to: to.map((fields) => fields.filter(isUsed)),
    when: when.filter(isUsed),
  };
  const all = [...used.from.flat(), ...used.to.flat(), ...used.when];
  const found = { ...used, asksHttp: all.some(({ httpOnly }) => httpOnly) };
  byNamespace.set(policy.meta.namespace, found);
  return found;
}

const usedFields = once((_rule: AuthorizationRule) => new Map<string, UsedFields>());

export function matchesField({ values, notValues, matches }: Field, facts: Facts): boolean {
  if (values.length > 0 && !values.some((value) => matches(value, facts))) return false;
  return !notValues.some((value) => matches(value, facts));
}

export function isUsed({ values, notValues }: Pick<Field, 'values' | 'notValues'>): boolean {
  return values.length > 0 || notValues.length > 0;
}

type Lists<T> = readonly (readonly [
  values: keyof T & string,
  notValues: keyof T & string,
  subject: FieldSubject,
])[];

const sourceLists: Lists<SourceMatch> = [
  ['principals', 'notPrincipals', { kind: 'source.principal' }],
  ['requestPrincipals', 'notRequestPrincipals', { kind: 'request.auth.principal' }],
  ['namespaces', 'notNamespaces', { kind: 'source.namespace' }],
  ['serviceAccounts', 'notServiceAccounts', { kind: 'source.serviceAccount' }],
  ['trustDomains', 'notTrustDomains', { kind: 'source.trustDomain' }],
  ['ipBlocks', 'notIpBlocks', { kind: 'source.ip' }],
  ['remoteIpBlocks', 'notRemoteIpBlocks', { kind: 'remote.ip' }],
];

const operationLists: Lists<OperationMatch> = [
  ['hosts', 'notHosts', { kind: 'request.host' }],
  ['ports', 'notPorts', { kind: 'destination.port' }],
  ['methods', 'notMethods', { kind: 'request.method' }],
  ['paths', 'notPaths', { kind: 'request.path' }],
];

function listFields<T extends SourceMatch | OperationMatch>(
  lists: Lists<T>,
  match: { readonly [K in keyof T]: readonly string[] },
  namespace: string,
  within: YamlPath,
): readonly Field[] {
  return lists.map(([values, notValues, subject]) =>
    field(subject, { values: match[values], notValues: match[notValues] }, namespace, within, [
      values,
      notValues,
    ]),
  );
}

function field(
  subject: FieldSubject,
  { values, notValues }: Pick<Field, 'values' | 'notValues'>,
  namespace: string,
  within: YamlPath,
  names: Field['names'],
): Field {
  return {
    subject,
    values,
    notValues,
    within,
    names,
    httpOnly: needsHttp(subject),
    matches: matcher(subject, namespace),
  };
}

function needsHttp(subject: FieldSubject): boolean {
  return subject.kind === 'request.host' ||
    subject.kind === 'request.method' ||
    subject.kind === 'request.path'
    ? true
    : isHttpOnly(subject);
}
