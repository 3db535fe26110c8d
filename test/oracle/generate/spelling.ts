import type { Random } from './random.ts';

export interface Spelled {
  readonly text: string;
  readonly how: string;
}

/** The same path, or one that only looks like it, as somebody would write it who wants to walk around a policy. */
export function spelled(random: Random, path: string): Spelled {
  const how = random.weighted<keyof typeof ways | 'plain'>([
    [12, 'plain'],
    [2, 'escaped slash'],
    [2, 'escaped backslash'],
    [1, 'backslash'],
    [2, 'merged slashes'],
    [2, 'dots'],
    [2, 'escaped dots'],
    [1, 'dots behind an escaped slash'],
    [1, 'dots behind two slashes'],
    [2, 'escaped letter'],
    [1, 'escaped twice'],
    [1, 'parameters'],
    [1, 'parameters with dots'],
    [2, 'query'],
    [1, 'case'],
    [1, 'other segment'],
    [1, 'end'],
    [1, 'odd characters'],
    [1, 'escapes of what needs none'],
    [1, 'overlong'],
    [1, 'fragment'],
    [1, 'nothing that a path may hold'],
    [1, 'no path'],
  ]);
  return { text: how === 'plain' ? path : ways[how](random, path), how };
}

const ways = {
  'escaped slash': (random: Random, path: string) => atSlash(random, path, random.pick(['%2F', '%2f'])),
  'escaped backslash': (random: Random, path: string) => atSlash(random, path, random.pick(['%5C', '%5c'])),
  backslash: (random: Random, path: string) => atSlash(random, path, '\\'),
  'merged slashes': (random: Random, path: string) =>
    atSlash(random, path, random.pick(['//', '///', '/%2F', '\\/'])),
  dots: (random: Random, path: string) =>
    atSlash(random, path, random.pick(['/zz/../', '/./', '/./././', '/../', '/.../', '/..x/'])),
  'escaped dots': (random: Random, path: string) =>
    atSlash(random, path, random.pick(['/zz/%2e%2e/', '/%2E/', '/zz/.%2e/', '/zz/%2E./'])),
  'dots behind an escaped slash': (random: Random, path: string) =>
    atSlash(random, path, random.pick(['/zz%2F..%2F', '/zz%5c..%5c', '/zz%2f%2e%2e/', '/zz\\..\\'])),
  'dots behind two slashes': (random: Random, path: string) => atSlash(random, path, '/zz//../'),
  'escaped letter': (random: Random, path: string) =>
    path.replaceAll(/[A-Za-z0-9.~_-]/g, (letter) =>
      random.chance(0.3) ? escaped(letter, random.chance(0.5)) : letter,
    ),
  'escaped twice': (random: Random, path: string) =>
    atSlash(random, path, random.pick(['%252F', '%255c', '/%252e%252e/'])),
  parameters: (random: Random, path: string) => `${path}${random.pick([';x=1', ';', '%3Bx', '%3b'])}`,
  'parameters with dots': (random: Random, path: string) =>
    atSlash(
      random,
      path,
      random.pick([
        '/zz/..;/',
        '/zz/..;x=1/',
        '/zz;x/../',
        '/.;/',
        '/zz/%2e%2e;/',
        '/zz/.%2e;x/',
        '/zz%2F..;x%2F',
        '/zz\\..;\\',
      ]),
    ),
  query: (random: Random, path: string) => `${path}${random.pick(['?a=/../b', '?', '?x;y', '?a%2Fb//c'])}`,
  case: (_: Random, path: string) => path.toUpperCase(),
  'other segment': (random: Random, path: string) =>
    path.replaceAll(/[^/]+/g, (each) =>
      random.chance(0.4) ? random.pick(['7', 'x', 'a=b', 'a*b', '~']) : each,
    ),
  end: (random: Random, path: string) => `${path}${random.pick(['/', '/.', '/..', '/%2e', '%2F', 'x', '.'])}`,
  'odd characters': (random: Random, path: string) =>
    `${path}${random.pick(['|', '^', '`', '{b}', '[b]', '"', '<>', '%', '%zz', '%7c', '%7C', '%e9', '%20', '!', "'", '*'])}`,
  'escapes of what needs none': (random: Random, path: string) =>
    `${path}!`.replaceAll(/[!$&'()*+,:=@]/g, (letter) => escaped(letter, random.chance(0.5))),
  overlong: (random: Random, path: string) =>
    atSlash(
      random,
      path,
      random.pick(['%c0%af', '%C0%AF', '%e0%80%af', '/zz/%c0%ae%c0%ae/', '%f0%80%80%af', '%u002f', '%c1%9c']),
    ),
  fragment: (random: Random, path: string) => `${path}${random.pick(['#', '#a', '#/../b', '?a#b'])}`,
  'nothing that a path may hold': (random: Random, path: string) =>
    atSlash(random, path, random.pick(['%00', '/%00/', '/\xe9/', '/\xc3\xa9/', '/\x7f/'])),
  'no path': (random: Random, path: string) =>
    random.pick(['*', path.slice(1) || 'a', `.${path}`, `?${path}`]),
};

export const spellings: readonly string[] = ['plain', ...Object.keys(ways)];

function atSlash(random: Random, path: string, instead: string): string {
  const slashes = [...path.matchAll(/\//g)].map(({ index }) => index);
  // The first stays: without it there is no path.
  const at = random.pick(slashes);
  if (at === 0) return instead.startsWith('/') ? `${instead}${path.slice(1)}` : `/${instead}${path.slice(1)}`;
  return `${path.slice(0, at)}${instead}${path.slice(at + 1)}`;
}

function escaped(letter: string, upper: boolean): string {
  const code = letter.charCodeAt(0).toString(16);
  return `%${upper ? code.toUpperCase() : code}`;
}
