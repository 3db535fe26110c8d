import type { Random } from './random.ts';

/** What shape a list's string got, for the coverage. */
export type Shape =
  | 'exact'
  | 'prefix'
  | 'suffix'
  | 'presence'
  | 'near'
  | 'case'
  | 'stars'
  | 'template'
  | 'list'
  | 'block'
  | 'port';

export interface Pattern {
  readonly text: string;
  readonly shape: Shape;
}

/** A string of a list that has to do with `base`: mostly one that matches it, sometimes one that nearly does. */
export function patternFor(random: Random, base: string): Pattern {
  if (base === '') return { text: '*', shape: 'presence' };
  const cut = 1 + random.int(base.length);
  const shape = random.weighted<Shape>([
    [40, 'exact'],
    [18, 'prefix'],
    [18, 'suffix'],
    [8, 'presence'],
    [7, 'near'],
    [6, 'case'],
    [3, 'stars'],
  ]);
  switch (shape) {
    case 'prefix':
      return { text: `${base.slice(0, cut)}*`, shape };
    case 'suffix':
      return { text: `*${base.slice(base.length - cut)}`, shape };
    case 'presence':
      return { text: '*', shape };
    case 'near':
      return { text: random.pick([`${base}x`, base.slice(0, -1) || 'x', `x${base}`, `${base}/`]), shape };
    case 'case':
      return { text: random.pick([base.toUpperCase(), base.toLowerCase(), swapCase(base)]), shape };
    case 'stars':
      return { text: `*${base.slice(base.length - cut)}*`, shape };
    case 'exact':
    case 'list':
    case 'block':
    case 'port':
    case 'template':
      return { text: base, shape: 'exact' };
  }
}

function swapCase(text: string): string {
  return text
    .split('')
    .map((letter) => (letter === letter.toUpperCase() ? letter.toLowerCase() : letter.toUpperCase()))
    .join('');
}

/** A path with some of its segments open. */
export function templateFor(random: Random, path: string): Pattern {
  const segments = path.split('/').slice(1);
  const open = segments.map((segment) => (random.chance(0.4) ? '{*}' : segment));
  if (random.chance(0.4)) {
    const from = random.int(open.length);
    open.splice(from, random.chance(0.7) ? open.length - from : 1 + random.int(2), '{**}');
  }
  if (!open.some((segment) => segment.startsWith('{'))) open[random.int(open.length)] = '{*}';
  return { text: `/${open.join('/')}`, shape: 'template' };
}

/** A block around an address, or near it; often with bits that do not count. */
export function blockFor(random: Random, address: string): Pattern {
  const whole = address.includes(':') ? 128 : 32;
  const length = random.weighted([
    [3, whole],
    [2, whole - 1],
    [1, 0],
    [4, random.int(whole + 1)],
    [3, 8 * random.int(whole / 8 + 1)],
  ]);
  const text = random.chance(0.25) ? address : `${address}/${length}`;
  return { text, shape: 'block' };
}
