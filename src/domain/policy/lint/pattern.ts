import { BlockList, isIPv6 } from 'node:net';
import { isPathTemplate, listPattern } from '../decide/index.ts';

/** Whether whatever `b` matches, `a` matches too. */
export type Covers = (a: string, b: string) => boolean;

interface Pattern {
  readonly kind: 'exact' | 'prefix' | 'suffix' | 'any';
  readonly text: string;
}

function parsePattern(value: string): Pattern {
  if (value === '*') return { kind: 'any', text: '' };
  if (value.startsWith('*')) return { kind: 'suffix', text: value.slice(1) };
  if (value.endsWith('*')) return { kind: 'prefix', text: value.slice(0, -1) };
  return { kind: 'exact', text: value };
}

export const patternCovers: Covers = (a, b) => {
  const [outer, inner] = [parsePattern(a), parsePattern(b)];
  switch (outer.kind) {
    case 'any':
      return true;
    case 'exact':
      return inner.kind === 'exact' && inner.text === outer.text;
    case 'prefix':
      return (inner.kind === 'exact' || inner.kind === 'prefix') && inner.text.startsWith(outer.text);
    case 'suffix':
      return (inner.kind === 'exact' || inner.kind === 'suffix') && inner.text.endsWith(outer.text);
  }
};

/** Hosts are compared without their case. */
export const hostCovers: Covers = (a, b) => patternCovers(a.toLowerCase(), b.toLowerCase());

export const pathCovers: Covers = (a, b) => {
  if (a === b) return true;
  if (isPathTemplate(a)) return false;
  if (!isPathTemplate(b)) return patternCovers(a, b);
  // What a template matches begins with all that stands before its first operator.
  const outer = parsePattern(a);
  return (
    outer.kind === 'any' || (outer.kind === 'prefix' && b.slice(0, b.indexOf('{')).startsWith(outer.text))
  );
};

/** Of a filter's metadata, where what asks of a list says nothing of a string. */
export const metadataCovers: Covers = (a, b) => {
  const [outer, inner] = [listPattern(a), listPattern(b)];
  if ((outer === undefined) !== (inner === undefined)) return false;
  return patternCovers(outer ?? a, inner ?? b);
};

export const equalCovers: Covers = (a, b) => a === b;

export const ipCovers: Covers = (a, b) => {
  const [outer, inner] = [parseBlock(a), parseBlock(b)];
  if (outer.family !== inner.family || outer.length > inner.length) return false;
  const block = new BlockList();
  block.addSubnet(outer.address, outer.length, outer.family);
  return block.check(inner.address, inner.family);
};

function parseBlock(text: string) {
  const [address = '', length] = text.split('/');
  const family = isIPv6(address) ? ('ipv6' as const) : ('ipv4' as const);
  return { address, family, length: Number(length ?? (family === 'ipv6' ? 128 : 32)) };
}
