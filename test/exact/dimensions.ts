import type {
  AuthorizationPolicy,
  Claims,
  ClaimValue,
  PolicyRequest,
  PolicyWorld,
  Verdict,
} from '../../src/domain/policy/index.ts';
import { bordersOf } from './addresses.ts';
import { callersFor } from './callers.ts';
import { type Mention, namesUnder, patternsOf } from './mentions.ts';
import { samplesOf } from './strings.ts';
import { tokensFor } from './tokens.ts';

export interface Draft {
  readonly rest: Omit<PolicyRequest, 'http'>;
  readonly method: string;
  readonly path: string;
  readonly host: string;
  readonly headers: Readonly<Record<string, readonly string[]>>;
  readonly providers: Readonly<Record<string, Verdict>>;
  /** Of the connection of a request. */
  readonly ofConnection: Readonly<Record<string, Verdict>>;
}

type Change = (draft: Draft) => Draft;

/** One attribute and all its values, each as what it changes of a request. */
export interface Dimension {
  readonly name: string;
  readonly choices: readonly Change[];
}

function dimension<T>(
  name: string,
  values: readonly T[],
  change: (draft: Draft, value: T) => Draft,
): Dimension {
  return { name, choices: values.map((value) => (draft: Draft) => change(draft, value)) };
}

function ofRest<K extends keyof Draft['rest']>(key: K, values: readonly Draft['rest'][K][]): Dimension {
  return dimension(key, values, (draft, value) => ({ ...draft, rest: { ...draft.rest, [key]: value } }));
}

const sources = ['principals', 'namespaces', 'serviceAccounts', 'trustDomains'];

export function ofConnection(mentions: readonly Mention[], world: PolicyWorld): readonly Dimension[] {
  const addresses = (field: string) => bordersOf(patternsOf(mentions, field));
  const filters = mentions.flatMap(({ field }) => /^experimental\.([^[]+)\[(.+)\]$/.exec(field) ?? []);
  return [
    ...(mentions.some(({ field }) => sources.includes(field))
      ? [ofRest('sourcePrincipal', callersFor(mentions, world.settings))]
      : [ofRest('sourcePrincipal', [undefined, 'spiffe://mesh.test/ns/shop/sa/front'])]),
    ...withSome('sourceIp', addresses('ipBlocks')),
    ...withSome('remoteIp', addresses('remoteIpBlocks')),
    ...withSome('destinationIp', addresses('destination.ip')),
    ...(patternsOf(mentions, 'connection.sni').length > 0
      ? [ofRest('sni', [undefined, ...samplesOf(patternsOf(mentions, 'connection.sni'))])]
      : []),
    ...(filters.length > 0 ? [ofMetadata(mentions)] : []),
  ];
}

function withSome(key: 'sourceIp' | 'remoteIp' | 'destinationIp', values: readonly string[]): Dimension[] {
  return values.length === 0 ? [] : [ofRest(key, values)];
}

/** Of one filter, which is all that policies here speak of. */
function ofMetadata(mentions: readonly Mention[]): Dimension {
  const fields = mentions.filter(({ field }) => field.startsWith('experimental.'));
  const found: Record<string, Claims>[] = [{}];
  for (const { field, patterns } of fields) {
    const [, filter = '', name = ''] = /^experimental\.([^[]+)\[(.+)\]$/.exec(field) ?? [];
    const samples = samplesOf(patterns.map((each) => each.replace(/^\[(.*)\]$/, '$1')));
    const values: ClaimValue[] = [...samples, ...samples.map((each) => [each, 'y']), [], 7];
    found.push(...values.map((value) => ({ [filter]: { [name]: value } })));
  }
  return ofRest('metadata', found);
}

export function ofHttp(mentions: readonly Mention[]): readonly Dimension[] {
  const own = (field: string, header: string) => [
    ...patternsOf(mentions, field),
    ...patternsOf(mentions, `request.headers[${header}]`),
    ...(header === ':authority' ? patternsOf(mentions, 'request.headers[host]') : []),
  ];
  const [methods, hosts, paths] = [
    own('methods', ':method'),
    own('hosts', ':authority'),
    own('paths', ':path'),
  ];
  const token = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;
  const tokens = tokensFor(mentions);
  return [
    ...ofText('method', methods, (all) => all.filter((each) => token.test(each))),
    ...ofText('host', hosts, (all) =>
      all.flatMap((each) => [each, `${each}:8080`, `${each}.`, `u@${each}`]).filter(isHost),
    ),
    ...ofText('path', paths, (all) => all.flatMap(spellings)),
    ...namesUnder(mentions, 'request.headers').flatMap(([name = '']) => ofHeader(mentions, name)),
    ...(tokens.length > 2 ? [ofRest('jwt', tokens)] : []),
  ];
}

function ofText(
  key: 'method' | 'host' | 'path',
  patterns: readonly string[],
  made: (samples: readonly string[]) => readonly string[],
): readonly Dimension[] {
  if (patterns.length === 0) return [];
  const values = [...new Set(made(samplesOf(patterns)))];
  return [dimension(key, values, (draft, value) => ({ ...draft, [key]: value }))];
}

function isHost(text: string): boolean {
  return /^[\x21-\x7e]+$/.test(text) && !text.includes('/');
}

/** As it is, and as somebody may write it who wants to be taken for another path. */
function spellings(path: string): readonly string[] {
  if (!/^\/[\x21-\x7e]*$/.test(path) || path.includes('#')) return [];
  return [path, `${path}?a=/b`, path.replace(/(?<=.)\//, '//'), `${path};x`, path.replace('a', '%61')];
}

const firstLine = new Set([':method', ':path', ':authority', 'host']);

function ofHeader(mentions: readonly Mention[], name: string): readonly Dimension[] {
  if (firstLine.has(name)) return [];
  const samples = samplesOf(patternsOf(mentions, `request.headers[${name}]`)).filter(
    (each) => /^[\x20-\x7e]*$/.test(each) && each.trim() === each,
  );
  const lists = [
    [],
    ...samples.map((each) => [each]),
    ...samples.slice(0, 4).flatMap((each) => samples.slice(2, 5).map((other) => [each, other])),
  ];
  return [
    dimension(`header ${name}`, lists, (draft, list) => ({
      ...draft,
      headers: list.length === 0 ? draft.headers : { ...draft.headers, [name]: list },
    })),
  ];
}

export function ofProviders(
  policies: readonly AuthorizationPolicy[],
  world: PolicyWorld,
  about: 'providers' | 'ofConnection',
): readonly Dimension[] {
  const known = new Set(world.settings.authorizationProviders.map(({ name }) => name));
  const named = new Set(policies.flatMap(({ provider }) => (provider === undefined ? [] : [provider])));
  return [...named]
    .filter((name) => known.has(name))
    .map((name) =>
      dimension(`${about} ${name}`, ['allow', 'deny'] as const, (draft, verdict) => ({
        ...draft,
        [about]: { ...draft[about], [name]: verdict },
      })),
    );
}
