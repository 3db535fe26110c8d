import { captureSources } from '../domain/ports/index.ts';
import type { Cidrs } from './cidrs.ts';
import type { PortRange } from './ports.ts';

/** What is captured of this machine's (or network namespace's) TCP connections. Undefined includes everything. */
export interface CaptureSettings {
  /** Where the proxy takes connections from outside. */
  readonly inboundPort: number;
  /** Where it takes the application's own. */
  readonly outboundPort: number;
  /** User and group ids of the proxy and its agent. */
  readonly users: readonly number[];
  readonly groups: readonly number[];
  readonly families: readonly AddressFamily[];
  readonly includeInboundPorts: readonly PortRange[] | undefined;
  readonly excludeInboundPorts: readonly PortRange[];
  readonly includeOutboundPorts: readonly PortRange[] | undefined;
  readonly excludeOutboundPorts: readonly PortRange[];
  readonly includeOutboundCidrs: Cidrs | undefined;
  readonly excludeOutboundCidrs: Cidrs;
}

export type AddressFamily = 'ipv4' | 'ipv6';

export const table = 'inet citadel';
const dns = 53;

/**
 * The whole ruleset, as `nft -f` reads it in one transaction: the table is made if it is not there, deleted and made
 * anew, so that there is never a moment with half of it, or with none.
 */
export function renderRuleset(settings: CaptureSettings): string {
  const chains = [
    chain('prerouting', inboundRules(settings)),
    chain('output', outboundRules(settings)),
    chain('proxy', proxyRules(settings)),
    chain('input', refusals(settings)),
  ];
  return [`table ${table}`, `delete table ${table}`, `table ${table} {`, chains.join('\n\n'), '}', ''].join(
    '\n',
  );
}

function chain(name: string, rules: readonly string[]): string {
  return [`\tchain ${name} {`, ...rules.map((rule) => `\t\t${rule}`), '\t}'].join('\n');
}

const firstPackets = [
  'meta l4proto != tcp return',
  'tcp flags & (fin | syn | rst | ack) != syn return',
] as const;

/**
 * What every chain of address translation begins with. Only a connection's first packet counts: one that was open
 * before would otherwise be sent to a proxy that never saw its beginning, and break.
 */
function newConnections({ families }: CaptureSettings): string[] {
  return [
    ...firstPackets,
    ...(families.includes('ipv4') ? [] : ['meta nfproto ipv4 return']),
    ...(families.includes('ipv6') ? [] : ['meta nfproto ipv6 return']),
  ];
}

function inboundRules(settings: CaptureSettings): string[] {
  return [
    'type nat hook prerouting priority -100; policy accept;',
    ...newConnections(settings),
    // What this machine only forwards, for containers say, is not its own.
    'fib daddr type != local return',
    'iifname "lo" return',
    ...toInbound(settings),
  ];
}

function outboundRules(settings: CaptureSettings): string[] {
  const { users, groups, outboundPort } = settings;
  return [
    'type nat hook output priority -100; policy accept;',
    ...newConnections(settings),
    'ip daddr 127.0.0.0/8 return',
    'ip6 daddr ::1 return',
    ...(users.length > 0 ? [`meta skuid ${set(users)} goto proxy`] : []),
    ...(groups.length > 0 ? [`meta skgid ${set(groups)} goto proxy`] : []),
    // An application that calls an address of its own machine speaks with itself.
    'oifname "lo" return',
    `tcp dport ${dns} return`,
    ...excludedPorts(settings.excludeOutboundPorts),
    ...includedPorts(settings.includeOutboundPorts),
    ...excludedCidrs(settings.excludeOutboundCidrs),
    ...includedCidrs(settings.includeOutboundCidrs),
    `meta l4proto tcp redirect to :${outboundPort}`,
  ];
}

/**
 * The proxy's own connections go where it sends them. The one exception is a call to a service that comes back to this
 * very workload: its inbound listener must see it, as it would from anyone else.
 */
function proxyRules(settings: CaptureSettings): string[] {
  const { ipv4, ipv6 } = captureSources;
  return [
    'oifname != "lo" return',
    `ip saddr ${ipv4} return`,
    `ip6 saddr ${ipv6} return`,
    ...toInbound(settings),
  ];
}

function toInbound(settings: CaptureSettings): string[] {
  const { inboundPort, outboundPort } = settings;
  return [
    `tcp dport ${set([inboundPort, outboundPort])} return`,
    ...excludedPorts(settings.excludeInboundPorts),
    ...includedPorts(settings.includeInboundPorts),
    `meta l4proto tcp redirect to :${inboundPort}`,
  ];
}

/**
 * What arrives without having been brought to the proxy. A connection is translated by its first packet alone: whoever
 * first has a stray packet open an entry of the kernel's connection tracking, which then takes his SYN for a part of it,
 * or has it taken for invalid, would reach the application around its proxy; so would he who comes by the family that is
 * not captured. And who connects to a capture port itself has no destination: the proxy would call itself, again and again.
 */
function refusals(settings: CaptureSettings): string[] {
  const { inboundPort, outboundPort } = settings;
  const refuse = 'reject with tcp reset';
  return [
    'type filter hook input priority 0; policy accept;',
    ...firstPackets,
    'ct status dnat return',
    `tcp dport ${set([inboundPort, outboundPort])} ${refuse}`,
    'iifname "lo" return',
    ...excludedPorts(settings.excludeInboundPorts),
    ...includedPorts(settings.includeInboundPorts),
    refuse,
  ];
}

function excludedPorts(ranges: readonly PortRange[]): string[] {
  return ranges.length > 0 ? [`tcp dport ${ports(ranges)} return`] : [];
}

function includedPorts(ranges: readonly PortRange[] | undefined): string[] {
  return ranges ? [`tcp dport != ${ports(ranges)} return`] : [];
}

function excludedCidrs({ ipv4, ipv6 }: Cidrs): string[] {
  return [
    ...(ipv4.length > 0 ? [`ip daddr ${set(ipv4)} return`] : []),
    ...(ipv6.length > 0 ? [`ip6 daddr ${set(ipv6)} return`] : []),
  ];
}

/** A family of which nothing is included is not captured at all. */
function includedCidrs(cidrs: Cidrs | undefined): string[] {
  if (!cidrs) return [];
  const { ipv4, ipv6 } = cidrs;
  return [
    ipv4.length > 0 ? `ip daddr != ${set(ipv4)} return` : 'meta nfproto ipv4 return',
    ipv6.length > 0 ? `ip6 daddr != ${set(ipv6)} return` : 'meta nfproto ipv6 return',
  ];
}

function ports(ranges: readonly PortRange[]): string {
  return set(ranges.map(({ from, to }) => (from === to ? String(from) : `${from}-${to}`)));
}

function set(members: readonly (string | number)[]): string {
  return `{ ${members.join(', ')} }`;
}
