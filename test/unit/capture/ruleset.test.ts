import { describe, expect, test } from 'vitest';
import { type CaptureArguments, captureSettings, renderRuleset } from '../../../src/capture/index.ts';

const least: CaptureArguments = {
  user: '1337',
  inboundPort: '15006',
  outboundPort: '15001',
  families: 'ipv4,ipv6',
};

/** The rules of one chain, in their order. */
function rules(chain: string, over: Partial<CaptureArguments> = {}): readonly string[] {
  const text = renderRuleset(captureSettings({ ...least, ...over }));
  const [, body = ''] =
    new RegExp(`\\tchain ${chain} \\{\\n([^}]*(?:\\{[^}]*\\}[^}]*)*?)\\n\\t\\}`).exec(text) ?? [];
  return body.split('\n').map((line) => line.trim());
}

describe('the ruleset', () => {
  test('takes the place of the one before in one transaction', () => {
    const text = renderRuleset(captureSettings(least));
    expect(text).toMatch(/^table inet citadel\ndelete table inet citadel\ntable inet citadel \{\n/);
    expect(text.match(/^table/gm)).toHaveLength(2);
  });

  test('from outside', () => {
    expect(rules('prerouting')).toEqual([
      'type nat hook prerouting priority -100; policy accept;',
      'meta l4proto != tcp return',
      'tcp flags & (fin | syn | rst | ack) != syn return',
      'fib daddr type != local return',
      'iifname "lo" return',
      'tcp dport { 15006, 15001 } return',
      'tcp dport { 22 } return',
      'meta l4proto tcp redirect to :15006',
    ]);
  });

  test('of applications', () => {
    expect(rules('output')).toEqual([
      'type nat hook output priority -100; policy accept;',
      'meta l4proto != tcp return',
      'tcp flags & (fin | syn | rst | ack) != syn return',
      'ip daddr 127.0.0.0/8 return',
      'ip6 daddr ::1 return',
      'meta skuid { 1337 } goto proxy',
      'oifname "lo" return',
      'tcp dport 53 return',
      'meta l4proto tcp redirect to :15001',
    ]);
  });

  test('of the proxy, whose calls that come back are taken as anyone’s', () => {
    expect(rules('proxy')).toEqual([
      'oifname != "lo" return',
      'ip saddr 127.0.0.6 return',
      'ip6 saddr ::1 return',
      'tcp dport { 15006, 15001 } return',
      'tcp dport { 22 } return',
      'meta l4proto tcp redirect to :15006',
    ]);
  });

  test('refuses what comes to an application around the proxy, or to a capture port itself', () => {
    expect(
      rules('input', { inboundPort: '16006', outboundPort: '16001', excludeInboundPorts: '9090' }),
    ).toEqual([
      'type filter hook input priority 0; policy accept;',
      'meta l4proto != tcp return',
      'tcp flags & (fin | syn | rst | ack) != syn return',
      'ct status dnat return',
      'tcp dport { 16006, 16001 } reject with tcp reset',
      'iifname "lo" return',
      'tcp dport { 22, 9090 } return',
      'reject with tcp reset',
    ]);
  });

  test.each<[string, string, Partial<CaptureArguments>, readonly string[], readonly string[]]>([
    [
      'a group',
      'output',
      { user: undefined, group: '7,8' },
      ['meta skgid { 7, 8 } goto proxy'],
      ['meta skuid { 1337 } goto proxy'],
    ],
    ['both', 'output', { group: '7' }, ['meta skuid { 1337 } goto proxy', 'meta skgid { 7 } goto proxy'], []],
    [
      'one family, out',
      'output',
      { families: 'ipv4' },
      ['meta nfproto ipv6 return'],
      ['meta nfproto ipv4 return'],
    ],
    ['one family, in', 'prerouting', { families: 'ipv6' }, ['meta nfproto ipv4 return'], []],
    [
      'ports that are left out',
      'prerouting',
      { excludeInboundPorts: '9090-9099' },
      ['tcp dport { 22, 9090-9099 } return'],
      [],
    ],
    [
      'ports alone',
      'prerouting',
      { includeInboundPorts: '80,22' },
      ['tcp dport != { 22, 80 } return'],
      ['tcp dport { 22 } return'],
    ],
    [
      'likewise for calls that come back',
      'proxy',
      { includeInboundPorts: '80' },
      ['tcp dport != { 80 } return'],
      [],
    ],
    [
      'ports of calls',
      'output',
      { includeOutboundPorts: '80', excludeOutboundPorts: '5432' },
      ['tcp dport { 5432 } return', 'tcp dport != { 80 } return'],
      [],
    ],
    [
      'networks that are left out',
      'output',
      { excludeOutboundCidrs: '10.0.0.0/8,2001:db8::/32' },
      ['ip daddr { 10.0.0.0/8 } return', 'ip6 daddr { 2001:db8::/32 } return'],
      [],
    ],
    [
      'networks alone',
      'output',
      { includeOutboundCidrs: '10.0.0.0/8' },
      ['ip daddr != { 10.0.0.0/8 } return', 'meta nfproto ipv6 return'],
      [],
    ],
    [
      'networks of IPv6 alone',
      'output',
      { includeOutboundCidrs: '2001:db8::/32' },
      ['meta nfproto ipv4 return', 'ip6 daddr != { 2001:db8::/32 } return'],
      [],
    ],
  ])('by option: %s', (_what, chain, over, there, away) => {
    const found = rules(chain, over);
    expect(found.filter((rule) => there.includes(rule))).toEqual(there);
    expect(found.filter((rule) => away.includes(rule))).toEqual([]);
  });
});

test.each<[string, Partial<CaptureArguments>]>([
  ['--user', { user: '0' }],
  ['--user', { user: 'envoy' }],
  ['--user', { user: '4294967295' }],
  ['--group', { group: '1337; flush ruleset' }],
  ['--families', { families: 'ipv4,ipv5' }],
  ['--inbound-port', { inboundPort: '15006-15007' }],
  ['--outbound-port', { outboundPort: '15001\nflush ruleset' }],
  ['--include-inbound-ports', { includeInboundPorts: '80 }' }],
  ['--exclude-inbound-ports', { excludeInboundPorts: '' }],
  ['--include-outbound-ports', { includeOutboundPorts: 'http' }],
  ['--exclude-outbound-ports', { excludeOutboundPorts: '0' }],
  ['--include-outbound-cidrs', { includeOutboundCidrs: '@set' }],
  ['--exclude-outbound-cidrs', { excludeOutboundCidrs: '10.0.0.0/8;' }],
  ['--inbound-port and --outbound-port must differ', { inboundPort: '15001' }],
  ['--user or --group', { user: undefined }],
])('what cannot be meant is refused, and %s named: %j', (option, over) => {
  expect(() => captureSettings({ ...least, ...over })).toThrow(option);
});
