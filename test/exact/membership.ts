import type {
  Alternative,
  PatternList,
  Region,
  RegionAttribute,
} from '../../src/domain/policy/exact/index.ts';
import type { Claims, ClaimValue, PolicyWorld } from '../../src/domain/policy/index.ts';
import { isWithin } from './addresses.ts';
import { fieldName } from './mentions.ts';
import type { Trial } from './place.ts';
import { isSomeCaller, isSomeNamespace, isSomeServiceAccount, isSomeTrustDomain } from './sources.ts';
import { matchesPath, matchesText } from './strings.ts';

/** A trial as policies look at it: its path canonical, or none, where nothing of HTTP is known or can be. */
export interface Seen extends Trial {
  readonly path: string | undefined;
  readonly query: string;
  readonly settings: PolicyWorld['settings'];
}

/** Whether a request is of those that a region names, read from its parts alone; undefined where it does not tell all. */
export function isInRegion({ constraints }: Region, seen: Seen): boolean | undefined {
  let isKnown = true;
  for (const { attribute, alternatives, more } of constraints) {
    if (alternatives.some((alternative) => fits(alternative, attribute, seen))) continue;
    if (more === 0) return false;
    isKnown = false;
  }
  return isKnown ? true : undefined;
}

function fits({ matches, except }: Alternative, attribute: RegionAttribute, seen: Seen): boolean {
  return (
    matches.every((list) => isOf(list, attribute, seen)) &&
    !except.some((list) => isOf(list, attribute, seen))
  );
}

/** Whether any of a list's patterns matches any value that the attribute has. */
function isOf({ field, patterns }: PatternList, attribute: RegionAttribute, seen: Seen): boolean {
  if (field === 'present') return isPresent(attribute, seen);
  if (field === 'ambiguous') return isReadInTwoWays(attribute, seen);
  if (field === 'refuses') {
    if (attribute.kind !== 'provider') return false;
    const answers = attribute.about === 'connection' ? seen.ofConnection : seen.providers;
    return answers?.[attribute.name] === 'deny';
  }
  const name = fieldName(field);
  return patterns.some((pattern) => matchesOne(name, pattern, seen));
}

function matchesOne(field: string, pattern: string, seen: Seen): boolean {
  const { request, settings } = seen;
  const { http, sourcePrincipal } = request;
  switch (field) {
    case 'principals':
      return isSomeCaller(pattern, sourcePrincipal, settings);
    case 'namespaces':
      return isSomeNamespace(pattern, sourcePrincipal);
    case 'serviceAccounts':
      return isSomeServiceAccount(pattern, sourcePrincipal);
    case 'trustDomains':
      return isSomeTrustDomain(pattern, sourcePrincipal, settings);
    case 'ipBlocks':
      return isWithin(request.sourceIp, pattern);
    case 'remoteIpBlocks':
      return isWithin(request.remoteIp, pattern);
    case 'destination.ip':
      return isWithin(request.destinationIp, pattern);
    case 'connection.sni':
      return matchesText(pattern.toLowerCase(), (request.sni ?? '').toLowerCase());
    case 'methods':
    case 'request.headers[:method]':
      return http !== undefined && matchesText(pattern, http.method);
    case 'hosts':
      return http !== undefined && matchesText(pattern.toLowerCase(), plainHost(http.host).toLowerCase());
    case 'request.headers[:authority]':
    case 'request.headers[host]':
      return http !== undefined && matchesText(pattern, plainHost(http.host));
    case 'paths':
      return seen.path !== undefined && matchesPath(pattern, seen.path);
    case 'request.headers[:path]':
      return seen.path !== undefined && matchesText(pattern, seen.path + seen.query);
    case 'requestPrincipals':
      return issuedName(claimsOf(seen)).some((each) => matchesText(pattern, each));
    default:
      return valuesOf(field, pattern, seen).some((each) => matchesText(inBrackets(field, pattern), each));
  }
}

const metadataKey = /^experimental\.([^[]+)\[(.+)\]$/;

function inBrackets(field: string, pattern: string): string {
  return metadataKey.test(field) ? pattern.replace(/^\[(.*)\]$/s, '$1') : pattern;
}

/** All values that such a pattern is held against, of a header, a claim, or what a filter has left. */
function valuesOf(field: string, pattern: string, seen: Seen): readonly string[] {
  const { http, metadata } = seen.request;
  const header = /^request\.headers\[(.+)\]$/.exec(field)?.[1];
  if (header !== undefined) return headerValues(http?.headers ?? {}, header, pattern);
  const claim = /^request\.auth\.claims\[(.+)\]$/.exec(field)?.[1];
  if (claim !== undefined) return stringsOf(claimAt(claimsOf(seen), claim.split('][')));
  const [, filter, name] = metadataKey.exec(field) ?? [];
  if (filter === undefined || name === undefined) throw new Error(`there is no field ${field}`);
  const found = metadata?.[filter]?.[name];
  return Array.isArray(found) === /^\[.*\]$/s.test(pattern) ? stringsOf(found) : [];
}

/** What applications may take for another path, method or host than policies do. */
function isReadInTwoWays({ kind }: RegionAttribute, { request: { http }, path = '' }: Seen): boolean {
  if (kind === 'method') return http !== undefined && http.method !== http.method.toUpperCase();
  if (kind === 'host') return http !== undefined && ['@', ','].some((mark) => http.host.includes(mark));
  return /;|%3b|%u|%c[01]%[89ab]|%e0%[89]|%f0%8/i.test(path);
}

function isPresent(attribute: RegionAttribute, seen: Seen): boolean {
  const { request } = seen;
  switch (attribute.kind) {
    case 'source':
      return request.sourcePrincipal !== undefined;
    case 'sni':
      return request.sni !== undefined && request.sni !== '';
    case 'token':
      return issuedName(claimsOf(seen)).length > 0;
    case 'header':
      return headerValues(request.http?.headers ?? {}, attribute.name, '').length > 0;
    case 'claim':
      return stringsOf(claimAt(claimsOf(seen), attribute.path)).length > 0;
    case 'metadata':
      return stringsOf(request.metadata?.[attribute.filter]?.[attribute.name]).length > 0;
    case 'method':
    case 'host':
    case 'path':
    case 'sourceIp':
    case 'remoteIp':
    case 'destinationIp':
    case 'provider':
      return true;
    case 'tokenPlace':
    case 'tokenKey':
      throw new Error('nothing is known of tokens that are sent');
  }
}

/** `*` asks whether a header is there, even with nothing in it: the one pattern that an empty value is given to. */
function headerValues(
  headers: Readonly<Record<string, readonly string[]>>,
  name: string,
  pattern: string,
): readonly string[] {
  const values = Object.entries(headers).flatMap(([own, list]) => (own.toLowerCase() === name ? list : []));
  const joined =
    oneLine.has(name) && values.length > 1 ? [values.filter((each) => each !== '').join(',')] : values;
  return pattern === '*' ? joined.map((each) => (each === '' ? 'there' : each)) : joined;
}

/** Of those that are tried here, the headers for which Envoy has one place. */
const oneLine = new Set(['content-type', 'accept', 'user-agent', 'x-forwarded-for']);

function plainHost(host: string): string {
  return host.replace(/\.(?=$|:[^.]*$)/, '');
}

function issuedName(claims: Claims | undefined): readonly string[] {
  const { iss, sub } = claims ?? {};
  return typeof iss === 'string' && typeof sub === 'string' && iss !== '' && sub !== ''
    ? [`${iss}/${sub}`]
    : [];
}

/** The claims in which strings that are lists of words are lists. */
function claimsOf({ request }: Pick<Seen, 'request'>): Claims | undefined {
  if (!request.jwt) return undefined;
  const listed = new Set(['scope', 'permission', ...(request.spaceDelimitedClaims ?? [])]);
  return Object.fromEntries(
    Object.entries(request.jwt).map(([name, value]) => {
      const words = listed.has(name) && typeof value === 'string' ? value.match(/[^ ]+/g) : null;
      return [name, words === null ? value : [...words]];
    }),
  );
}

function claimAt(claims: Claims | undefined, path: readonly string[]): ClaimValue | undefined {
  return path.reduce<ClaimValue | undefined>(
    (value, name) =>
      typeof value === 'object' && value !== null && !Array.isArray(value)
        ? new Map(Object.entries(value)).get(name)
        : undefined,
    claims,
  );
}

function stringsOf(value: ClaimValue | undefined): readonly string[] {
  const list: readonly (ClaimValue | undefined)[] = Array.isArray(value) ? value : [value];
  return list.filter((each) => typeof each === 'string');
}
