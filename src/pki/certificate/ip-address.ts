import { isIPv4, isIPv6 } from 'node:net';

/** The text of the octets of an iPAddress (RFC 5280, 4.2.1.6), IPv6 in canonical form; undefined when they are neither 4 nor 16. */
export function formatIpAddress(octets: Uint8Array): string | undefined {
  if (octets.length === 4) return octets.join('.');
  if (octets.length !== 16) return undefined;
  const groups: string[] = [];
  for (let at = 0; at < 16; at += 2)
    groups.push((((octets[at] ?? 0) << 8) | (octets[at + 1] ?? 0)).toString(16));
  // The URL parser writes IPv6 in the canonical form of RFC 5952.
  return new URL(`http://[${groups.join(':')}]/`).hostname.slice(1, -1);
}

/** The octets of an IPv4 or IPv6 address; undefined when the text is neither. */
export function ipAddressOctets(text: string): Uint8Array | undefined {
  if (isIPv4(text)) return Uint8Array.from(text.split('.').map(Number));
  if (!isIPv6(text) || text.includes('%')) return undefined;
  const canonical = new URL(`http://[${text}]/`).hostname.slice(1, -1);
  const [head = '', tail = ''] = canonical.split('::');
  const groups = (part: string): number[] =>
    part === '' ? [] : part.split(':').map((group) => Number.parseInt(group, 16));
  const before = groups(head);
  const after = groups(tail);
  const all = canonical.includes('::')
    ? [...before, ...Array.from({ length: 8 - before.length - after.length }, () => 0), ...after]
    : before;
  return Uint8Array.from(all.flatMap((group) => [group >> 8, group & 0xff]));
}
