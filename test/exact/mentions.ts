import type { AuthorizationPolicy, Condition } from '../../src/domain/policy/index.ts';

/** One list of one rule, under one name for what fields and conditions have in common. */
export interface Mention {
  readonly field: string;
  readonly patterns: readonly string[];
  /** Of the policy: service accounts without one are of it. */
  readonly namespace: string;
}

const sameAs: Readonly<Record<string, string>> = {
  'source.principal': 'principals',
  'source.namespace': 'namespaces',
  'source.serviceAccount': 'serviceAccounts',
  'source.trustDomain': 'trustDomains',
  'source.ip': 'ipBlocks',
  'remote.ip': 'remoteIpBlocks',
  'request.auth.principal': 'requestPrincipals',
  'request.auth.audiences': 'request.auth.claims[aud]',
  'request.auth.presenter': 'request.auth.claims[azp]',
  'destination.port': 'ports',
};

export function fieldName(name: string): string {
  const header = /^request\.headers\[(.+)\]$/.exec(name)?.[1];
  return header === undefined ? (sameAs[name] ?? name) : `request.headers[${header.toLowerCase()}]`;
}

/** Every list that policies hold, of `values` and of `notValues` alike. */
export function mentionsOf(policies: readonly AuthorizationPolicy[]): readonly Mention[] {
  return policies.flatMap(({ meta: { namespace }, rules }) =>
    rules.flatMap(({ from, to, when }) => [
      ...[...from, ...to].flatMap((lists) => listsIn(lists, namespace)),
      ...when.flatMap((condition) => listsOf(condition, namespace)),
    ]),
  );
}

function listsIn(lists: object, namespace: string): readonly Mention[] {
  return Object.entries(lists).flatMap(([name, patterns]: [string, readonly string[]]) => {
    const field = name.replace(/^not([A-Z])/, (_, first: string) => first.toLowerCase());
    return patterns.length === 0 ? [] : [{ field, patterns, namespace }];
  });
}

function listsOf({ key, values, notValues }: Condition, namespace: string): readonly Mention[] {
  return [values, notValues]
    .filter((patterns) => patterns.length > 0)
    .map((patterns) => ({ field: fieldName(key), patterns, namespace }));
}

export function patternsOf(mentions: readonly Mention[], field: string): readonly string[] {
  return [...new Set(mentions.flatMap((each) => (each.field === field ? each.patterns : [])))];
}

/** The names in the brackets of fields that begin so. */
export function namesUnder(mentions: readonly Mention[], prefix: string): readonly (readonly string[])[] {
  const found = mentions.flatMap(({ field }) =>
    field.startsWith(`${prefix}[`) ? [field.slice(prefix.length + 1, -1)] : [],
  );
  return [...new Set(found)].map((names) => names.split(']['));
}
