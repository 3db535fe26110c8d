import { isIP } from 'node:net';

interface Address {
  readonly bits: 32 | 128;
  readonly value: bigint;
}

/** Whether an address is a block's, `10.1.2.3` or `10.0.0.0/8`; bits of the block behind its length do not count. */
export function isInBlock(address: string, block: string): boolean {
  const [network = '', length] = block.split('/', 2);
  const own = parseAddress(address);
  const other = parseAddress(network);
  // An IPv4 address is in no block of IPv6, and the other way round.
  if (own === undefined || other === undefined || own.bits !== other.bits) return false;
  const free = BigInt(own.bits - (length === undefined ? own.bits : Number(length)));
  return own.value >> free === other.value >> free;
}

function parseAddress(text: string): Address | undefined {
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
