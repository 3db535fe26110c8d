import { type MeshNames, matchesNamespace, matchesPrincipal } from '../decide/index.ts';
import type { PolicyWorld } from '../world/index.ts';
import { writtenText } from './text/pieces.ts';

/** What natural requests are made of, for examples that one recognises. */
export interface Examples {
  /** Of workloads that there are, the first of them. */
  readonly sources: readonly string[];
  /** Of all of them, some that a pattern of a namespace or a principal means. */
  readonly sourcesOf: (pattern: string) => readonly string[];
  readonly hosts: readonly string[];
  /** Of callers. */
  readonly addresses: readonly string[];
  /** Of who is called. */
  readonly ownAddresses: readonly string[];
}

/** Of documentation (RFC 5737, RFC 3849). */
const foreign = ['192.0.2.1', '198.51.100.1', '203.0.113.1', '2001:db8::1'];

/** So many of what a world has are enough. */
const most = 50;

/** Among more nobody looks for one that fits. */
const mostSources = 2000;

/** So many of those that one pattern means. */
const mostOfPattern = 5;

/** Where nobody of the registry fits. */
export function strangers(trustDomain: string): readonly string[] {
  return [
    `${trustDomain}/ns/default/sa/default`,
    `${trustDomain}/ns/other/sa/other`,
    'other.example/ns/default/sa/default',
  ];
}

export function examplesOf({ settings, workloads, services }: PolicyWorld): Examples {
  const { trustDomain } = settings;
  const sources = new Set<string>();
  const addresses = new Set<string>();
  for (const { namespace, serviceAccount, addresses: own } of workloads.values()) {
    if (sources.size >= mostSources) break;
    sources.add(`${trustDomain}/ns/${namespace}/sa/${serviceAccount}`);
    for (const address of own) if (addresses.size < most) addresses.add(address);
  }
  const meant = new Map<string, readonly string[]>();
  const hosts = [...services.values()].slice(0, most).flatMap((service) => service.hosts.slice(0, 1));
  return {
    sources: [...sources].slice(0, most),
    sourcesOf: (pattern) => {
      const known = meant.get(pattern) ?? among(sources, pattern, settings);
      meant.set(pattern, known);
      return known;
    },
    hosts,
    addresses: ['10.0.0.1', ...addresses, ...foreign],
    ownAddresses: [...addresses, '10.0.0.1', ...foreign],
  };
}

function among(sources: Iterable<string>, pattern: string, mesh: MeshNames): readonly string[] {
  const found: string[] = [];
  for (const source of sources) {
    const id = `spiffe://${source}`;
    if (matchesNamespace(pattern, id) || matchesPrincipal(pattern, id, mesh)) found.push(source);
    if (found.length === mostOfPattern) break;
  }
  return found;
}

/** Of RFC 9110, PATCH of RFC 5789, and some that one meets; `get` for what is ambiguous. */
export const exampleMethods: readonly string[] =
  'GET POST PUT DELETE PATCH HEAD OPTIONS TRACE PROPFIND PURGE QUERY get'.split(' ');

export const exampleHosts: readonly string[] = ['app.example', 'other.example'];

export const examplePaths: readonly string[] = ['/', '/example', '/other', '/example;x'];

const headerExamples: Readonly<Record<string, readonly string[]>> = {
  accept: ['application/json', 'text/html', '*/*'],
  'accept-encoding': ['gzip', 'identity'],
  'accept-language': ['en', 'de'],
  authorization: ['Bearer example', 'Basic ZXhhbXBsZTpleGFtcGxl'],
  'cache-control': ['no-cache', 'no-store'],
  'content-type': ['application/json', 'text/plain', 'application/grpc'],
  origin: ['https://app.example', 'https://other.example'],
  referer: ['https://app.example/'],
  'user-agent': ['curl/8.5.0', 'Mozilla/5.0'],
  'x-forwarded-proto': ['https', 'http'],
};

/** Values that a header mostly has. */
export function valuesOfHeader(name: string): readonly string[] {
  return headerExamples[name] ?? [];
}

/** Texts that match a pattern and read as if somebody had meant them. */
export function textsFor(pattern: string): readonly string[] {
  const text = writtenText(pattern);
  if (pattern === '*') return ['example', 'other'];
  if (pattern.startsWith('*')) {
    const made = [`example${text}`, `other${text}`];
    return /^[-./:_]/.test(text) ? [...made, text] : [text, ...made];
  }
  if (!pattern.endsWith('*')) return [text];
  const made = [`${text}example`, `${text}other`];
  return /[-./:_]$/.test(text) ? [...made, text] : [text, ...made, `${text}/example`];
}

export function pathsFor(pattern: string): readonly string[] {
  const plain = pattern.replaceAll('{*}', 'example').replaceAll('{**}', 'example');
  const text = writtenText(plain);
  if (plain.startsWith('*')) {
    const starts = text.startsWith('/') ? ['', '/example'] : ['/example', '/', '/example/'];
    return starts.map((start) => `${start}${text}`);
  }
  if (!plain.endsWith('*')) return [text];
  const ends = text.endsWith('/') ? ['example', ''] : ['/example', '', 'example'];
  return ends.map((end) => `${text}${end}`);
}

/** Of callers, by the field in which they are named. */
export function sourcesFor(field: string, pattern: string, trustDomain: string): readonly string[] {
  switch (field) {
    case 'namespaces':
    case 'source.namespace':
      return textsFor(pattern).map((text) => `${trustDomain}/ns/${text}/sa/default`);
    case 'serviceAccounts':
    case 'source.serviceAccount':
      return [`${trustDomain}/ns/${pattern.replace('/', '/sa/')}`];
    case 'trustDomains':
    case 'source.trustDomain':
      return textsFor(pattern).map((text) => `${text}/ns/default/sa/default`);
    default: {
      const text = writtenText(pattern);
      const ends = [
        '',
        'default',
        '/sa/default',
        'sa/default',
        'ns/default/sa/default',
        '/ns/default/sa/default',
      ];
      if (pattern.startsWith('*'))
        return [trustDomain, `${trustDomain}/ns/default`, `${trustDomain}/ns/default/sa/example`].map(
          (start) => `${start}${text}`,
        );
      return pattern.endsWith('*') ? ends.map((end) => `${text}${end}`) : [text];
    }
  }
}
