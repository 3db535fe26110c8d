import { HttpConnectionManager_PathWithEscapedSlashesAction } from '../../../src/gen/envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager.ts';
import { choice, isNode, type Node } from './rewrite.ts';
import { context, type Mutation, operations, paths, policies, rendered, rules } from './wrap.ts';

const any: Node = { $case: 'any', value: true };
const emptied = { hosts: [], notHosts: [], methods: [], notMethods: [], paths: [], notPaths: [] };
const noHttp = policies((policy) => ({
  ...policy,
  rules: policy.rules.map((rule) => ({
    from: rule.from.map((source) => ({ ...source, requestPrincipals: [], notRequestPrincipals: [] })),
    to: rule.to.map((operation) => ({ ...operation, ...emptied })),
    when: rule.when.filter(({ key }) => !key.startsWith('request.')),
  })),
}));
/** The lists that Envoy has for `all` and for `any` are named after what is in them. */
const listCase = (from: string, to: string): Mutation =>
  rendered(choice(from, (value) => ({ $case: to, value })));
const inside = (key: string, name: string, change: (value: Node) => Node): Mutation =>
  rendered((node) =>
    node['$case'] === key && isNode(node['value']) && node['value']['name'] === name ? change(node) : node,
  );
const caseOf = (name: string): Mutation =>
  inside('header', name, (node) => ({ ...node, value: withCase(node['value'], false) }));

/** The same with each comparison's regard to case. */
function withCase(value: unknown, ignoreCase: boolean): unknown {
  if (Array.isArray(value)) return value.map((each: unknown) => withCase(each, ignoreCase));
  if (!isNode(value)) return value;
  const inner = Object.fromEntries(
    Object.entries(value).map(([key, each]) => [key, withCase(each, ignoreCase)]),
  );
  const match = value['matchPattern'];
  const plain = isNode(match) && ['exact', 'prefix', 'suffix'].includes(String(match['$case']));
  return plain ? { ...inner, ignoreCase } : inner;
}

/** Wrong in what one attribute is compared with. */
export const ofBoth: Readonly<Record<string, Mutation>> = {
  'exact read as prefix': rendered(
    choice('exact', (value) => ({ $case: value === '' ? 'exact' : 'prefix', value })),
  ),
  'suffix read as part': listCase('suffix', 'contains'),
  'any permission for all': listCase('andRules', 'orRules'),
  'all principals for any': listCase('orIds', 'andIds'),
  'notX of callers forgotten': rendered(choice('notId', () => any)),
  'blocks one bit wider': rendered((node) =>
    typeof node['prefixLen'] === 'number' ? { ...node, prefixLen: Math.max(0, node['prefixLen'] - 1) } : node,
  ),
  'destination ports not looked at': rendered(choice('destinationPort', () => any)),
  'destination addresses not looked at': rendered(choice('destinationIp', () => any)),
  'the server name in its case': rendered(
    choice('requestedServerName', (value) => ({
      $case: 'requestedServerName',
      value: withCase(value, false),
    })),
  ),
  'aliases of the trust domain forgotten': context({ trustDomainAliases: [] }),
  'namespaces anywhere in a name': rendered(
    choice('safeRegex', (value) => ({
      $case: 'safeRegex',
      value: isNode(value)
        ? { ...value, regex: String(value['regex']).replace(/^spiffe:\/\/\S+?\/ns\//, 'spiffe://.*/ns/') }
        : value,
    })),
  ),
  'service accounts of every namespace': rendered(
    choice('suffix', (value) => ({ $case: 'suffix', value: String(value).replace(/^\/ns\/[^/]*/, '') })),
  ),
  'only the first condition': rules((rule) => ({ ...rule, when: rule.when.slice(0, 1) })),
};

export const ofHttp: Readonly<Record<string, Mutation>> = {
  'paths without their case': rendered(
    choice('urlPath', (value) => ({ $case: 'urlPath', value: withCase(value, true) })),
  ),
  'hosts in their case': caseOf(':authority'),
  'notPaths left out': operations((operation) => ({ ...operation, notPaths: [] })),
  'segments that hold slashes': rendered(
    choice('safeRegex', (value) => ({
      $case: 'safeRegex',
      value: isNode(value) ? { ...value, regex: String(value['regex']).replaceAll('[!-.0-~]', '.') } : value,
    })),
  ),
  'clients for peers': listCase('directRemoteIp', 'remoteIp'),
  'peers for clients': listCase('remoteIp', 'directRemoteIp'),
  'presence only of what is not empty': rendered(
    choice('presentMatch', () => ({
      $case: 'stringMatch',
      value: { matchPattern: { $case: 'safeRegex', value: { regex: '.+' } }, ignoreCase: false },
    })),
  ),
  'claims of several lines passed over': rendered((node) =>
    node['regex'] === '\\C+' ? { ...node, regex: '.+' } : node,
  ),
  'claims that are lists not looked into': rendered((node) => {
    const { matchPattern } = node;
    if (!isNode(matchPattern) || matchPattern['$case'] !== 'orMatch' || !isNode(matchPattern['value']))
      return node;
    const [first] = Array.isArray(matchPattern['value']['valueMatchers'])
      ? matchPattern['value']['valueMatchers']
      : [];
    return isNode(first) ? first : node;
  }),
  'nested claims by their first name': rendered((node) =>
    'filter' in node && Array.isArray(node['path']) ? { ...node, path: node['path'].slice(0, 2) } : node,
  ),
  'a scope as one word': rendered((node) =>
    'normalizePayloadInMetadata' in node ? { ...node, normalizePayloadInMetadata: undefined } : node,
  ),
  'slashes that are not merged': paths({ mergeSlashes: false }),
  'dots that are not resolved': paths({ normalizePath: false }),
  'escaped slashes that stay': paths({
    pathWithEscapedSlashesAction: HttpConnectionManager_PathWithEscapedSlashesAction.KEEP_UNCHANGED,
  }),
  'a dot that ends a host': paths({ stripTrailingHostDot: false }),
};

export const ofTcp: Readonly<Record<string, Mutation>> = {
  'an ALLOW without its fields of HTTP': noHttp,
  'rules that need HTTP left out of a DENY': policies((policy) => ({
    ...policy,
    rules: policy.rules.filter(
      ({ to }) =>
        policy.action !== 'DENY' ||
        to.every(({ paths: own, methods, hosts }) => own.length + methods.length + hosts.length === 0),
    ),
  })),
};
