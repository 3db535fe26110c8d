import { isIP } from 'node:net';

/** An IP address as a number. */
export interface IpAddress {
  readonly bits: 32 | 128;
  readonly value: bigint;
}

/** All addresses of a block, the first and the last one. */
export interface IpRange {
  readonly bits: 32 | 128;
  readonly first: bigint;
  readonly last: bigint;
}

/** Whether an address is a block's, `10.1.2.3` or `10.0.0.0/8`; bits of the block behind its length do not count. */
export function isInBlock(address: string, block: string): boolean {
  const own = parseIp(address);
  const range = rangeOf(block);
  // An IPv4 address is in no block of IPv6, and the other way round.
  if (own === undefined || range === undefined || own.bits !== range.bits) return false;
  return own.value >= range.first && own.value <= range.last;
}

/** Undefined for what is no block. */
export function rangeOf(block: string): IpRange | undefined {
  const [network = '', length] = block.split('/', 2);
  const address = parseIp(network);
  if (address === undefined) return undefined;
  const { bits, value } = address;
  const free = BigInt(bits - (length === undefined ? bits : Number(length)));
  const first = (value >> free) << free;
  return { bits, first, last: first + (1n << free) - 1n };
}

/** Undefined for what is no address. */
export function parseIp(text: string): IpAddress | undefined {
  if (isIP(text) === 4) return { bits: 32, value: parseIPv4(text) };
  if (isIP(text) !== 6) return undefined;
  return { bits: 128, value: parseIPv6(text) };
}

function parseIPv4(text: string): bigint {
  return text.split('.').reduce((value, part) => (value << 8n) | BigInt(part), 0n);
}

/** `text` is known to be right, so that only its two short forms remain to be written out: `::` and a dotted end. */
function parseIPv6(text: string): bigint {
  const dotted = /^(.*:)(\d+\.\d+\.\d+\.\d+)$/.exec(text.split('%', 1)[0] ?? '');
  const tail = dotted?.[2] === undefined ? undefined : parseIPv4(dotted[2]);
  const plain =
    tail === undefined
      ? text
      : `${dotted?.[1]}${(tail >> 16n).toString(16)}:${(tail & 0xffffn).toString(16)}`;
  const [head = '', rest] = plain.split('::', 2);
  const groups = (part: string) => (part === '' ? [] : part.split(':'));
  const before = groups(head);
  const after = rest === undefined ? [] : groups(rest);
  const middle = Array.from({ length: 8 - before.length - after.length }, () => '0');
  return [...before, ...middle, ...after].reduce((value, group) => (value << 16n) | BigInt(`0x${group}`), 0n);
}
