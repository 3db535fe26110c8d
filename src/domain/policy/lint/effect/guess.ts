import { SpiffeId } from '@citadel/spiffe';
import { type Claims, conditionSubject, normalizePath, type PolicyRequest } from '../../decide/index.ts';
import { pathsFor, type RulePlace, sourcesFor, textsFor } from '../../exact/index.ts';
import type { AuthorizationPolicy, AuthorizationRule, SourceMatch } from '../../model.ts';
import type { LintRegistry } from '../context.ts';

/** More of one rule's requests are not guessed: what they do not show is asked of the exact engine. */
const most = 4;

/**
 * Requests that a rule is likely to match, for nothing is cheaper than to be shown one. Whether it does is for whoever asks
 * to see.
 */
export function* guesses(
  { rules: [rule], meta }: AuthorizationPolicy,
  { trustDomain }: LintRegistry['settings'],
  { protocol, at }: RulePlace,
): Generator<PolicyRequest> {
  if (!rule) return;
  const longest = Math.max(2, ...[...rule.from, ...rule.to].flatMap((each) => lengths(each)));
  for (
    let turn = 0;
    turn < Math.min(most, longest * Math.max(rule.from.length, rule.to.length, 1));
    turn += 1
  ) {
    const place = { protocol, port: at?.port, mode: at?.mode, isTokenless: at?.takesTokens === false };
    const made = guess(rule, { turn, namespace: meta.namespace, trustDomain, ...place });
    const isRefused = place.mode === 'STRICT' && made.sourcePrincipal === undefined;
    if (!isRefused && canArrive(made)) yield made;
  }
}

/** What nobody can send shows nothing. */
function canArrive({ sourcePrincipal, sni = '', http }: PolicyRequest): boolean {
  if (sourcePrincipal !== undefined && !isCaller(sourcePrincipal)) return false;
  if (!/^[a-z0-9.-]*$/.test(sni)) return false;
  if (!http) return true;
  return (
    /^[A-Z]+$/.test(http.method) &&
    /^[a-z0-9.-]+(?::\d+)?$/.test(http.host) &&
    /^\/[\w./-]*$/.test(http.path) &&
    normalizePath(http.path) === http.path &&
    Object.values(http.headers).every((list) => list.every((text) => /^[\w./-]+$/.test(text)))
  );
}

/** A workload's name has a path: X509-SVID 5.2. */
function isCaller(text: string): boolean {
  try {
    return SpiffeId.parse(text).path !== '';
  } catch {
    return false;
  }
}

function lengths(lists: object): readonly number[] {
  return Object.values(lists).map((list: readonly string[]) => list.length);
}

interface Given {
  /** Each takes other values. */
  readonly turn: number;
  readonly namespace: string;
  readonly trustDomain: string;
  readonly protocol: RulePlace['protocol'];
  readonly port: number | 'other' | undefined;
  /** No token is looked at. */
  readonly isTokenless: boolean;
  readonly mode: 'STRICT' | 'PERMISSIVE' | 'DISABLE' | undefined;
}

type Draft = { -readonly [K in keyof PolicyRequest]: PolicyRequest[K] };

function guess({ from, to, when }: AuthorizationRule, given: Given): PolicyRequest {
  const { turn, trustDomain, protocol, port, mode } = given;
  const source = pick(from, turn);
  const operation = pick(to, turn);
  const http = {
    method: methodOf(pick(operation?.methods, turn), turn),
    path: first(operation?.paths, turn, pathsFor) ?? '/example',
    host: first(operation?.hosts, turn, textsFor)?.toLowerCase() ?? 'app.example',
    headers: {} as Record<string, readonly string[]>,
  };
  const address = blockAddress(pick(source?.ipBlocks, turn)) ?? '10.0.0.1';
  const named = pick(operation?.ports, turn) ?? '12345';
  const request: Draft = {
    sourcePrincipal: `spiffe://${callerOf(source, given) ?? `${trustDomain}/ns/default/sa/default`}`,
    sourceIp: address,
    remoteIp: blockAddress(pick(source?.remoteIpBlocks, turn)) ?? address,
    destinationIp: '10.0.0.2',
    destinationPort: port === undefined ? Number(named) : port === 'other' ? 12_345 : port,
  };
  const token = pick(source?.requestPrincipals, turn);
  let jwt: Claims | undefined = token === undefined ? undefined : issued(token);
  for (const { key, values } of when) {
    const value = pick(values, turn);
    if (value === undefined) continue;
    const subject = conditionSubject(key);
    const [text = ''] = textsFor(value);
    if (subject.kind === 'header') setHeader(http, subject.name, text);
    else if (subject.kind === 'claim') jwt = { ...jwt, ...nested(subject.path, text) };
    else if (subject.kind === 'request.auth.principal') jwt = { ...jwt, ...issued(value) };
    else if (subject.kind === 'request.auth.audiences') jwt = { ...jwt, aud: text };
    else if (subject.kind === 'request.auth.presenter') jwt = { ...jwt, azp: text };
    else if (subject.kind === 'connection.sni') request.sni = text;
    else if (subject.kind === 'source.ip') request.sourceIp = blockAddress(value) ?? address;
    else if (subject.kind === 'remote.ip') request.remoteIp = blockAddress(value) ?? address;
    else if (subject.kind === 'destination.ip') request.destinationIp = blockAddress(value) ?? '10.0.0.2';
    else if (subject.kind === 'destination.port' && port === undefined)
      request.destinationPort = Number(value);
    else if (subject.kind.startsWith('source.'))
      request.sourcePrincipal = `spiffe://${caller(key, value, given)}`;
  }
  if (given.isTokenless) jwt = undefined;
  if (mode === 'DISABLE' || saysNobody(source)) delete request.sourcePrincipal;
  return { ...request, ...(jwt && { jwt }), ...(protocol === 'http' && { http }) };
}

/** A seldom one too, where none is asked for: lists of methods leave it out. */
function methodOf(pattern: string | undefined, turn: number): string {
  if (pattern === undefined || pattern === '*') return turn % 2 === 0 ? 'GET' : 'OPTIONS';
  return pattern.replaceAll('*', '');
}

function pick<T>(list: readonly T[] | undefined, turn: number): T | undefined {
  return list && list.length > 0 ? list[turn % list.length] : undefined;
}

function first(
  list: readonly string[] | undefined,
  turn: number,
  examples: (pattern: string) => readonly string[],
): string | undefined {
  const pattern = pick(list, turn);
  return pattern === undefined ? undefined : examples(pattern)[0];
}

function blockAddress(block: string | undefined): string | undefined {
  return block?.replace(/\/\d+$/, '');
}

function saysNobody(source: SourceMatch | undefined): boolean {
  return source !== undefined && source.notPrincipals.includes('*');
}

function callerOf(source: SourceMatch | undefined, given: Given): string | undefined {
  if (!source) return undefined;
  for (const field of ['principals', 'serviceAccounts', 'namespaces', 'trustDomains'] as const) {
    const value = pick(source[field], given.turn);
    if (value !== undefined) return caller(field, value, given);
  }
  return undefined;
}

/** Without the scheme. */
function caller(field: string, value: string, { namespace, trustDomain }: Given): string {
  const isAccount = field === 'serviceAccounts' || field === 'source.serviceAccount';
  const full = isAccount && !value.includes('/') ? `${namespace}/${value}` : value;
  const [example = ''] = sourcesFor(field, full === '*' ? `${trustDomain}/*` : full, trustDomain).filter(
    (each) => !each.endsWith('/'),
  );
  return example.replace(/^cluster\.local(?=\/)/, trustDomain);
}

function issued(pattern: string): Claims {
  const [text = ''] = textsFor(pattern);
  const slash = text.lastIndexOf('/');
  return slash < 1
    ? { iss: text || 'issuer.example', sub: 'example' }
    : { iss: text.slice(0, slash), sub: text.slice(slash + 1) || 'example' };
}

function nested(path: readonly string[], text: string): Claims {
  const [name = '', ...rest] = path;
  return { [name]: rest.length === 0 ? [text] : nested(rest, text) };
}

function setHeader(
  http: { method: string; path: string; host: string; headers: Record<string, readonly string[]> },
  name: string,
  text: string,
): void {
  if (name === ':method') http.method = text;
  else if (name === ':path') http.path = text;
  else if (name === ':authority' || name === 'host') http.host = text;
  else http.headers[name] = [text];
}
