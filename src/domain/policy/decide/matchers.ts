import { isInBlock } from './addresses.ts';
import { matchesClaim, matchesMetadata, requestPrincipal } from './claims.ts';
import type { ConditionSubject } from './condition-key.ts';
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

/** What of a request a rule's lists are compared with. */
export type FieldSubject =
  | ConditionSubject
  | { readonly kind: 'request.host' }
  | { readonly kind: 'request.method' }
  | { readonly kind: 'request.path' };

export type Matches = (value: string, facts: Facts) => boolean;

/** How one string of a rule's lists is compared. @param namespace of the policy */
export function matcher(subject: FieldSubject, namespace: string): Matches {
  switch (subject.kind) {
    case 'request.host':
      return host;
    case 'request.method':
      return method;
    case 'request.path':
      return path;
    case 'header':
      return header(subject.name);
    case 'claim':
      return claim(subject.path);
    case 'metadata':
      return metadata(subject.filter, subject.name);
    case 'source.ip':
      return sourceIp;
    case 'remote.ip':
      return remoteIp;
    case 'source.namespace':
      return sourceNamespace;
    case 'source.principal':
      return principal;
    case 'source.serviceAccount':
      return serviceAccount(namespace);
    case 'source.trustDomain':
      return trustDomain;
    case 'request.auth.principal':
      return tokenPrincipal;
    case 'request.auth.audiences':
      return audiences;
    case 'request.auth.presenter':
      return presenter;
    case 'destination.ip':
      return destinationIp;
    case 'destination.port':
      return port;
    case 'connection.sni':
      return serverName;
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

const audiences = claim(['aud']);
const presenter = claim(['azp']);

const sourceIp: Matches = (block, { request }) => isInBlock(request.sourceIp, block);
const remoteIp: Matches = (block, { request }) => isInBlock(request.remoteIp, block);
const destinationIp: Matches = (block, { request }) => isInBlock(request.destinationIp, block);
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
  return (pattern, facts) => {
    const values = headerOf(name, facts);
    return pattern === '*' ? values.length > 0 : values.some((value) => matchesPattern(pattern, value));
  };
}

/** What the patterns of a header are compared with; nothing of a connection that is not HTTP. */
export function headerOf(name: string, { request: { http }, path: normalized }: Facts): readonly string[] {
  return http === undefined ? [] : headerValues({ ...http, path: withQuery(normalized, http.path) }, name);
}

function withQuery(normalized: string | undefined, raw: string): string {
  return `${normalized ?? ''}${/\?.*$/s.exec(raw)?.[0] ?? ''}`;
}
