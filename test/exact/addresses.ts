import { isIPv4, isIPv6 } from 'node:net';

interface Block {
  readonly bits: 32 | 128;
  readonly first: bigint;
  readonly last: bigint;
}

/** A block by its first and last address, bits behind its length put to rest. */
function parseBlock(text: string): Block {
  const [address = '', length] = text.split('/');
  const bits = isIPv4(address) ? 32 : 128;
  const free = BigInt(bits - (length === undefined ? bits : Number(length)));
  const size = 1n << free;
  const first = (numberOf(address) / size) * size;
  return { bits, first, last: first + size - 1n };
}

export function isWithin(address: string, block: string): boolean {
  const { bits, first, last } = parseBlock(block);
  if (isIPv4(address) !== (bits === 32)) return false;
  const number = numberOf(address);
  return first <= number && number <= last;
}

/** Of each block the first and the last address, and their neighbours outside. */
export function bordersOf(blocks: readonly string[]): readonly string[] {
  const found = new Set<string>();
  for (const { bits, first, last } of blocks.map(parseBlock))
    for (const number of [first - 1n, first, last, last + 1n])
      if (number >= 0n && number < 1n << BigInt(bits)) found.add(textOf(number, bits));
  return [...found];
}

function numberOf(address: string): bigint {
  if (isIPv4(address)) return digits(address.split('.'), 256n, (part) => BigInt(part));
  if (!isIPv6(address)) throw new Error(`${address} is no address`);
  const [dotted] = /\d+\.\d+\.\d+\.\d+$/.exec(address) ?? [];
  const plain = dotted === undefined ? address : address.replace(dotted, hexGroups(numberOf(dotted)));
  const [left = '', right] = plain.split('::');
  const [before, after] = [left, right ?? ''].map((side) => side.split(':').filter((group) => group !== ''));
  const missing = right === undefined ? 0 : 8 - (before?.length ?? 0) - (after?.length ?? 0);
  const groups = [...(before ?? []), ...Array<string>(missing).fill('0'), ...(after ?? [])];
  return digits(groups, 65_536n, (group) => BigInt(`0x${group}`));
}

function digits(parts: readonly string[], base: bigint, value: (part: string) => bigint): bigint {
  return parts.reduce((sum, part) => sum * base + value(part), 0n);
}

function hexGroups(number: bigint): string {
  return `${(number / 65_536n).toString(16)}:${(number % 65_536n).toString(16)}`;
}

function textOf(number: bigint, bits: 32 | 128): string {
  const form =
    bits === 32
      ? { base: 256n, count: 4, radix: 10, mark: '.' }
      : { base: 65_536n, count: 8, radix: 16, mark: ':' };
  const parts: string[] = [];
  for (let rest = number; parts.length < form.count; rest /= form.base)
    parts.unshift((rest % form.base).toString(form.radix));
  return parts.join(form.mark);
}
