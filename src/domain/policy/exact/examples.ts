import type { PolicyWorld } from '../world/index.ts';
import { writtenText } from './text/pieces.ts';

/** What natural requests are made of, for examples that one recognises. */
export interface Examples {
  readonly sources: readonly string[];
  readonly hosts: readonly string[];
  readonly addresses: readonly string[];
}

/** So many of what a world has are enough. */
const most = 50;

export function examplesOf({ settings, workloads, services }: PolicyWorld): Examples {
  const { trustDomain } = settings;
  const sources = new Set<string>();
  const addresses = new Set<string>();
  for (const { namespace, serviceAccount, addresses: own } of workloads.values()) {
    if (sources.size >= most) break;
    sources.add(`${trustDomain}/ns/${namespace}/sa/${serviceAccount}`);
    for (const address of own) addresses.add(address);
  }
  const hosts = [...services.values()].slice(0, most).flatMap((service) => service.hosts.slice(0, 1));
  return {
    sources: [
      ...sources,
      `${trustDomain}/ns/default/sa/default`,
      `${trustDomain}/ns/other/sa/other`,
      'other.example/ns/default/sa/default',
    ],
    hosts: [...hosts, 'app.example', 'other.example'],
    addresses: ['10.0.0.1', ...addresses, '192.0.2.1', '198.51.100.1', '203.0.113.1', '2001:db8::1'],
  };
}

export const exampleMethods: readonly string[] = [
  'GET',
  'POST',
  'PUT',
  'DELETE',
  'PATCH',
  'HEAD',
  'OPTIONS',
  'get',
];

/** Texts that match a pattern and read as if somebody had meant them. */
export function textsFor(pattern: string): readonly string[] {
  const text = writtenText(pattern);
  if (pattern === '*') return ['example', 'other'];
  if (pattern.startsWith('*')) return [text, `example${text}`, `other${text}`];
  return pattern.endsWith('*') ? [text, `${text}example`, `${text}other`, `${text}/example`] : [text];
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
