import type { YamlPath } from '../../../yaml/index.ts';

/** What a field of a policy means, by its path without the places in lists; `*` is any one key. */
type Help = Readonly<Record<string, string>>;

const metadata: Help = {
  apiVersion: 'security.istio.io/v1: the language is Istio’s.',
  kind: 'AuthorizationPolicy says which calls are allowed, PeerAuthentication whether callers must use mutual TLS, RequestAuthentication whose tokens are believed.',
  metadata: 'Which object this is.',
  'metadata.name': 'Its name: there is one of a kind and name in a namespace.',
  'metadata.namespace':
    'For whose workloads it holds. In the root namespace of the mesh: for those of all namespaces.',
  'metadata.annotations':
    '`istio.io/dry-run: "true"` makes a policy that decides nothing and is counted and logged.',
  spec: 'What it says.',
  'spec.selector': 'The workloads that it holds for; without one, all of its namespace.',
  'spec.selector.matchLabels':
    'Labels that a workload must carry, all of them, each with exactly this value.',
};

const targets: Help = {
  'spec.targetRef': 'The older form of targetRefs, for one.',
  'spec.targetRefs': 'Services of this namespace that it holds for, in the place of a selector.',
  'spec.targetRefs.kind': 'Service for what is in this mesh.',
  'spec.targetRefs.group': '"" or core for a Service.',
  'spec.targetRefs.name': 'The service’s name, in the namespace of the policy.',
};

const strings = 'Matches exactly, by beginning (`a*`), by end (`*a`), or `*` for anything that is not empty.';

/** What a list of a source or an operation looks at; each has its opposite, with `not` in front. */
const lists: Help = {
  'from.source.principals': `SPIFFE IDs of callers, without spiffe://, as \`example.org/ns/shop/sa/web\`; proved by mutual TLS. ${strings}`,
  'from.source.requestPrincipals': `Of a valid token, \`<issuer>/<subject>\`. ${strings}`,
  'from.source.namespaces': `Namespaces of callers, proved by mutual TLS. ${strings}`,
  'from.source.serviceAccounts':
    'Service accounts of callers, proved by mutual TLS: NAME, of the policy’s own namespace, or NAMESPACE/NAME. No wildcards.',
  'from.source.trustDomains': `Trust domains of callers, proved by mutual TLS. ${strings}`,
  'from.source.ipBlocks': 'Addresses or CIDRs of the connection’s other end: `10.1.2.3`, `10.1.0.0/16`.',
  'from.source.remoteIpBlocks':
    'Addresses or CIDRs of the original client, by X-Forwarded-For or the proxy protocol, which a caller can write.',
  'to.operation.hosts': `Hosts as callers write them, without regard to case; \`example.com:*\` where they write a port. ${strings}`,
  'to.operation.ports': 'Ports of the workload, each one number in quotes.',
  'to.operation.methods': `HTTP methods, in capitals. ${strings}`,
  'to.operation.paths': `Paths without their query, after \`..\`, \`//\` and escapes are resolved. ${strings} As a template \`{*}\` is one segment, \`{**}\` any number at the end.`,
};

function opposites(): Help {
  return Object.fromEntries(
    Object.entries(lists).flatMap(([path, text]) => {
      const parts = path.split('.');
      const name = parts.at(-1) ?? '';
      const opposite = `not${name.slice(0, 1).toUpperCase()}${name.slice(1)}`;
      return [
        [`spec.rules.${path}`, `${text}\n\nOne of them must match.`],
        [`spec.rules.${[...parts.slice(0, -1), opposite].join('.')}`, `${text}\n\nNone of them may match.`],
      ];
    }),
  );
}

const authorization: Help = {
  ...metadata,
  ...targets,
  ...opposites(),
  'spec.action':
    'ALLOW (the default): where such a policy holds, one of them must match. DENY: a match is a denial. CUSTOM: the provider is asked about what matches. AUDIT: only marks. In the order CUSTOM, DENY, ALLOW.',
  'spec.provider': 'For CUSTOM alone: whom to ask.',
  'spec.provider.name': 'An authorization provider of the mesh’s settings.',
  'spec.rules':
    'Any of them matches. `rules: [{}]` matches everything; no rule at all matches nothing, which as an ALLOW lets nobody in.',
  'spec.rules.from': 'Who calls: one of these sources must match. Without it: anybody, also in plaintext.',
  'spec.rules.from.source': 'Matches when all of its lists do.',
  'spec.rules.to': 'What is called: one of these operations must match. Without it: anything.',
  'spec.rules.to.operation': 'Matches when all of its lists do.',
  'spec.rules.when': 'Further conditions, all of which must match.',
  'spec.rules.when.key':
    'What is looked at: `request.headers[NAME]`, `source.ip`, `remote.ip`, `source.namespace`, `source.serviceAccount`, `source.principal`, `source.trustDomain`, `request.auth.principal`, `request.auth.audiences`, `request.auth.presenter`, `request.auth.claims[NAME][WITHIN]`, `destination.ip`, `destination.port`, `connection.sni`, `experimental.envoy.filters.FILTER[NAME]`.',
  'spec.rules.when.values': `One of them must match. ${strings}`,
  'spec.rules.when.notValues': `None of them may match. ${strings}`,
};

const mode =
  'STRICT: mutual TLS alone. PERMISSIVE: also plaintext. DISABLE: plaintext alone, in which nobody has an identity. UNSET: as the next wider policy says.';

const peer: Help = {
  ...metadata,
  'spec.mtls': 'How connections are taken.',
  'spec.mtls.mode': mode,
  'spec.portLevelMtls': 'Other modes for some ports of the workload; needs a selector.',
  'spec.portLevelMtls.*': 'A port of the workload.',
  'spec.portLevelMtls.*.mode': mode,
};

const request: Help = {
  ...metadata,
  ...targets,
  'spec.jwtRules':
    'Whose tokens are believed. A token must be good by one of them; none at all is no error: an AuthorizationPolicy asks for one.',
  'spec.jwtRules.issuer': 'The token’s `iss`, exactly.',
  'spec.jwtRules.audiences': 'One of them must be in the token’s `aud`; without a list any will do.',
  'spec.jwtRules.jwks': 'The keys themselves, as a JWKS (RFC 7517).',
  'spec.jwtRules.jwksUri':
    'Where the server fetches the keys. Without it and without jwks: by the issuer’s OpenID discovery.',
  'spec.jwtRules.jwks_uri': 'The same as jwksUri.',
  'spec.jwtRules.fromHeaders': 'Headers in which the token comes; the default is `Authorization: Bearer`.',
  'spec.jwtRules.fromHeaders.name': 'The header’s name.',
  'spec.jwtRules.fromHeaders.prefix': 'What stands before the token, as `Bearer `.',
  'spec.jwtRules.fromParams': 'Parameters of the query in which the token comes.',
  'spec.jwtRules.fromCookies': 'Cookies in which the token comes.',
  'spec.jwtRules.outputPayloadToHeader':
    'The application gets the token’s payload in this header, in base64url.',
  'spec.jwtRules.outputClaimToHeaders': 'Claims that the application gets in headers of their own.',
  'spec.jwtRules.outputClaimToHeaders.header': 'The header.',
  'spec.jwtRules.outputClaimToHeaders.claim': 'The claim.',
  'spec.jwtRules.forwardOriginalToken': 'Whether the application gets the token too; by default it does not.',
  'spec.jwtRules.timeout': 'For fetching keys, as 5s.',
  'spec.jwtRules.spaceDelimitedClaims':
    'Claims whose text is a list of words, beside `scope` and `permission`, which always are.',
};

const kinds: Readonly<Record<string, Help>> = {
  AuthorizationPolicy: authorization,
  PeerAuthentication: peer,
  RequestAuthentication: request,
};

/** What a field of a policy means; undefined for one of which there is nothing to say. @param path within the object */
export function policyFieldHelp(kind: string, path: YamlPath): string | undefined {
  const help = Object.hasOwn(kinds, kind) ? kinds[kind] : undefined;
  const names = path.filter((part) => typeof part === 'string');
  const open = names.map((name, index) => (index === 2 ? '*' : name));
  return help?.[names.join('.')] ?? help?.[open.join('.')];
}
