import type {
  AuthorizationPolicy,
  AuthorizationRule,
  Condition,
  OperationMatch,
  SourceMatch,
} from '../model.ts';
import { isInBlock } from './addresses.ts';
import { matchesClaim, matchesMetadata, requestPrincipal } from './claims.ts';
import { conditionSubject, isHttpOnly } from './condition-key.ts';
import { headerValues } from './headers.ts';
import { isPathTemplate, matchesTemplate } from './paths.ts';
import {
  type MeshNames,
  matchesNamespace,
  matchesPrincipal,
  matchesServiceAccount,
  matchesTrustDomain,
} from './principals.ts';
import type { Claims, PolicyRequest } from './request.ts';
import { lowerCase, matchesPattern, normalizeHost } from './strings.ts';

/** What a rule is compared with: the request, its path and claims as they are compared, and how this mesh is called. */
export interface Facts {
  readonly request: PolicyRequest;
  readonly path: string | undefined;
  /** Of the token, in the form that is compared. */
  readonly claims: Claims | undefined;
  readonly mesh: MeshNames;
}

/** One attribute that a rule speaks of: one of `values` matches, if there are any, and none of `notValues`. */
interface Field {
  readonly values: readonly string[];
  readonly notValues: readonly string[];
  readonly httpOnly: boolean;
  readonly matches: (value: string, facts: Facts) => boolean;
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
    from: rule.from.map((source) => sourceFields(source, namespace)),
    to: rule.to.map(operationFields),
    when: rule.when.map((condition) => conditionField(condition, namespace)),
  };
}

export function matchesField({ values, notValues, matches }: Field, facts: Facts): boolean {
  if (values.length > 0 && !values.some((value) => matches(value, facts))) return false;
  return !notValues.some((value) => matches(value, facts));
}

export function isUsed({ values, notValues }: Field): boolean {
  return values.length > 0 || notValues.length > 0;
}

type Matches = Field['matches'];

function field(
  values: readonly string[],
  notValues: readonly string[],
  matches: Matches,
  httpOnly = false,
): Field {
  return { values, notValues, matches, httpOnly };
}

function sourceFields(source: SourceMatch, namespace: string): readonly Field[] {
  return [
    field(source.principals, source.notPrincipals, principal),
    field(source.requestPrincipals, source.notRequestPrincipals, tokenPrincipal, true),
    field(source.namespaces, source.notNamespaces, sourceNamespace),
    field(source.serviceAccounts, source.notServiceAccounts, serviceAccount(namespace)),
    field(source.trustDomains, source.notTrustDomains, trustDomain),
    field(source.ipBlocks, source.notIpBlocks, sourceIp),
    field(source.remoteIpBlocks, source.notRemoteIpBlocks, remoteIp),
  ];
}

function operationFields(operation: OperationMatch): readonly Field[] {
  return [
    field(operation.hosts, operation.notHosts, host, true),
    field(operation.ports, operation.notPorts, port),
    field(operation.methods, operation.notMethods, method, true),
    field(operation.paths, operation.notPaths, path, true),
  ];
}

function conditionField({ key: text, values, notValues }: Condition, namespace: string): Field {
  const key = conditionSubject(text);
  const of = (matches: Matches) => field(values, notValues, matches, isHttpOnly(key));
  switch (key.kind) {
    case 'header':
      return of(header(key.name));
    case 'claim':
      return of(claim(key.path));
    case 'metadata':
      return of(metadata(key.filter, key.name));
    case 'source.ip':
      return of(sourceIp);
    case 'remote.ip':
      return of(remoteIp);
    case 'source.namespace':
      return of(sourceNamespace);
    case 'source.principal':
      return of(principal);
    case 'source.serviceAccount':
      return of(serviceAccount(namespace));
    case 'source.trustDomain':
      return of(trustDomain);
    case 'request.auth.principal':
      return of(tokenPrincipal);
    case 'request.auth.audiences':
      return of(claim(['aud']));
    case 'request.auth.presenter':
      return of(claim(['azp']));
    case 'destination.ip':
      return of((block, { request }) => isInBlock(request.destinationIp, block));
    case 'destination.port':
      return of(port);
    case 'connection.sni':
      return of(serverName);
  }
}

const principal: Matches = (pattern, { request, mesh }) =>
  request.sourcePrincipal !== undefined && matchesPrincipal(pattern, request.sourcePrincipal, mesh);

const sourceNamespace: Matches = (pattern, { request }) =>
  request.sourcePrincipal !== undefined && matchesNamespace(pattern, request.sourcePrincipal);

function serviceAccount(ownNamespace: string): Matches {
  return (entry, { request }) =>
    request.sourcePrincipal !== undefined &&
    matchesServiceAccount(entry, request.sourcePrincipal, ownNamespace);
}

const trustDomain: Matches = (pattern, { request, mesh }) =>
  request.sourcePrincipal !== undefined && matchesTrustDomain(pattern, request.sourcePrincipal, mesh);

const tokenPrincipal: Matches = (pattern, { claims }) => {
  const name = requestPrincipal(claims);
  return name !== undefined && matchesPattern(pattern, name);
};

function claim(path: readonly string[]): Matches {
  return (pattern, { claims }) => matchesClaim(pattern, claims, path);
}

function metadata(filter: string, name: string): Matches {
  return (pattern, { request }) => matchesMetadata(pattern, request.metadata?.[filter]?.[name]);
}

const sourceIp: Matches = (block, { request }) => isInBlock(request.sourceIp, block);
const remoteIp: Matches = (block, { request }) => isInBlock(request.remoteIp, block);
const port: Matches = (value, { request }) => Number(value) === request.destinationPort;

/** A DNS name, in which case says nothing. */
const serverName: Matches = (pattern, { request }) =>
  matchesPattern(lowerCase(pattern), lowerCase(request.sni ?? ''));

/** Without regard to case, and with the port where the caller wrote one: `example.com:*` is for those. */
const host: Matches = (pattern, { request }) =>
  request.http !== undefined &&
  matchesPattern(lowerCase(pattern), lowerCase(normalizeHost(request.http.host)));

const method: Matches = (pattern, { request }) =>
  request.http !== undefined && matchesPattern(pattern, request.http.method);

const path: Matches = (pattern, facts) => {
  if (facts.path === undefined) return false;
  return isPathTemplate(pattern) ? matchesTemplate(pattern, facts.path) : matchesPattern(pattern, facts.path);
};

/** Any of its values matches, each by itself; `*` is for a header that is there, even with nothing in it. */
function header(name: string): Matches {
  return (pattern, { request: { http } }) => {
    if (http === undefined) return false;
    const values = headerValues(http, name);
    return pattern === '*' ? values.length > 0 : values.some((value) => matchesPattern(pattern, value));
  };
}
