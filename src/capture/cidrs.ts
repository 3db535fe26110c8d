import { isIP, isIPv4 } from 'node:net';
import { CitadelError } from '../kernel/index.ts';

/** Networks by family, canonical, none within another. */
export interface Cidrs {
  readonly ipv4: readonly string[];
  readonly ipv6: readonly string[];
}

interface Network {
  readonly text: string;
  readonly bits: 32 | 128;
  readonly base: bigint;
  readonly prefix: number;
}

const mostParts = 256;

/**
 * `10.0.0.0/8,192.0.2.7,2001:db8::/32`. An address alone is the network of it alone. What lies within another is left
 * out: nftables refuses sets whose members overlap.
 * @throws CitadelError OutOfRange
 */
export function parseCidrs(text: string): Cidrs {
  const parts = text.split(',');
  if (parts.length > mostParts) throw new CitadelError('OutOfRange', `more than ${mostParts} networks`);
  const networks = parts.map((part) => parseNetwork(part.trim()));
  const outermost = networks.filter(
    (network, at) =>
      !networks.some(
        (other, index) =>
          index !== at && contains(other, network) && !(index > at && contains(network, other)),
      ),
  );
  const texts = (bits: number) =>
    outermost
      .filter((network) => network.bits === bits)
      .toSorted((a, b) => (a.base < b.base ? -1 : 1))
      .map((network) => network.text);
  return { ipv4: texts(32), ipv6: texts(128) };
}

function parseNetwork(text: string): Network {
  const [, address = '', digits] = /^([0-9a-fA-F.:]+)(?:\/(\d{1,3}))?$/.exec(text) ?? [];
  const family = isIP(address);
  const bits = family === 4 ? 32 : 128;
  const prefix = digits === undefined ? bits : Number(digits);
  if (family === 0 || prefix > bits)
    throw new CitadelError(
      'OutOfRange',
      `${JSON.stringify(text)} is not a network, as 10.0.0.0/8 or 2001:db8::/32`,
    );
  const base = toNumber(address);
  const hostBits = BigInt(bits - prefix);
  if ((base >> hostBits) << hostBits !== base)
    throw new CitadelError(
      'OutOfRange',
      `${text} has bits beyond its prefix; write the network's own address`,
    );
  return { text: `${canonical(address)}/${prefix}`, bits, base, prefix };
}

function contains(outer: Network, inner: Network): boolean {
  const rest = BigInt(outer.bits - outer.prefix);
  return (
    outer.bits === inner.bits && outer.prefix <= inner.prefix && outer.base >> rest === inner.base >> rest
  );
}

/** The shortest text (RFC 5952), without brackets. */
function canonical(address: string): string {
  return isIPv4(address) ? address : new URL(`http://[${address}]`).hostname.slice(1, -1);
}

function toNumber(address: string): bigint {
  if (isIPv4(address)) return address.split('.').reduce((sum, octet) => (sum << 8n) | BigInt(octet), 0n);
  const [head = [], tail = []] = canonical(address)
    .split('::')
    .map((half) => half.split(':').filter((group) => group !== ''));
  const groups = [...head, ...Array<string>(8 - head.length - tail.length).fill('0'), ...tail];
  return groups.reduce((sum, group) => (sum << 16n) | BigInt(`0x${group}`), 0n);
}
