import { describe, expect, test } from 'vitest';
import { readEntry } from '../../../../../src/api/grpc/access-log/entry.ts';
import type { AccessLogEntry } from '../../../../../src/domain/ports/index.ts';
import { Address } from '../../../../../src/gen/envoy/config/core/v3/address.ts';
import { AccessLogCommon, AccessLogType } from '../../../../../src/gen/envoy/data/accesslog/v3/accesslog.ts';

type Given = Parameters<typeof AccessLogCommon.fromPartial>[0];

const now = new Date(Date.UTC(2030, 0, 1));
const before = new Date(now.getTime() - 1000);

const socket = (address: string, port: number) =>
  Address.fromPartial({
    address: {
      $case: 'socketAddress',
      value: { address, portSpecifier: { $case: 'portValue', value: port } },
    },
  });

function read(common: Given): AccessLogEntry {
  return readEntry(
    AccessLogCommon.fromPartial({
      downstreamDirectRemoteAddress: socket('10.0.0.7', 40_000),
      downstreamLocalAddress: socket('10.0.0.1', 8080),
      startTime: before,
      ...common,
    }),
    {
      workload: 'files/shop/orders',
      textCharacters: 64,
      now,
      readDecision: (fields, denied) => {
        const id = fields[`citadel_${denied ? 'deny' : 'allow'}_enforced_effective_policy_id`];
        const by = typeof id === 'string' ? { namespace: 'shop', name: id, rule: 2 } : undefined;
        return { step: denied ? 'DENY' : 'ALLOW', by, marks: {} };
      },
      readShadow: ({ shadow }) =>
        shadow === 'allowed' || shadow === 'denied' ? { ...tried, outcome: shadow } : undefined,
    },
  );
}

const tried = { trial: '0123456789ab', outcome: 'allowed', step: 'ALLOW', by: undefined } as const;

const mutual: Given = {
  tlsProperties: {
    peerCertificateProperties: {
      subjectAltName: [
        { san: { $case: 'dns', value: 'a' } },
        { san: { $case: 'uri', value: 'spiffe://example.org/ns/shop/sa/web' } },
      ],
    },
  },
};

const cases: readonly {
  readonly what: string;
  readonly given: Given;
  readonly read: Partial<AccessLogEntry>;
}[] = [
  {
    what: 'to which host a request went, and by which name of the handshake',
    given: {
      customTags: { chain: 'mutual-tls', method: 'GET', path: '/', host: 'orders.shop:80\n' },
      tlsProperties: { ...mutual.tlsProperties, tlsSniHostname: 'outbound.orders' },
    },
    read: { host: 'orders.shop:80\uFFFD', serverName: 'outbound.orders' },
  },
  {
    what: 'a plaintext request at its start',
    given: {
      accessLogType: AccessLogType.DownstreamStart,
      customTags: { chain: 'plaintext', method: 'GET', path: '/a?token=secret' },
    },
    read: {
      workload: 'files/shop/orders',
      port: 8080,
      transport: 'plaintext',
      callerAddress: '10.0.0.7',
      method: 'GET',
      path: '/a',
      decision: 'allowed',
      at: before,
      sampled: false,
      first: true,
    },
  },
  {
    what: 'its end, told for what is tried beside the policies: it is not another call, and stands for itself',
    given: {
      accessLogType: AccessLogType.DownstreamEnd,
      customTags: { chain: 'plaintext', details: 'via_upstream' },
      metadata: { filterMetadata: { 'envoy.filters.http.rbac': { shadow: 'denied' } } },
    },
    read: { decision: 'allowed', first: false, sampled: false, shadow: { ...tried, outcome: 'denied' } },
  },
  {
    what: 'its end, told by sample where something is tried: it stands for others',
    given: {
      accessLogType: AccessLogType.DownstreamEnd,
      customTags: { chain: 'plaintext', details: 'via_upstream' },
      metadata: { filterMetadata: { 'envoy.filters.http.rbac': { shadow: 'allowed' } } },
    },
    read: { decision: 'allowed', first: false, sampled: true, shadow: tried },
  },
  {
    what: 'a call by mutual TLS that what is tried would deny: each is told',
    given: {
      ...mutual,
      accessLogType: AccessLogType.DownstreamEnd,
      customTags: { chain: 'mutual-tls', details: 'via_upstream' },
      metadata: { filterMetadata: { 'envoy.filters.http.rbac': { shadow: 'denied' } } },
    },
    read: { decision: 'allowed', first: true, sampled: false },
  },
  {
    what: 'its denial, which is not another call',
    given: {
      accessLogType: AccessLogType.DownstreamEnd,
      customTags: { chain: 'plaintext', details: 'rbac_access_denied_matched_policy[no]' },
    },
    read: { decision: 'denied', unproved: false, policy: 'shop/no', rule: 2, first: false },
  },
  {
    what: 'a denial because nothing allows it',
    given: {
      accessLogType: AccessLogType.DownstreamEnd,
      customTags: { chain: 'mutual-tls', details: 'rbac_access_denied_matched_policy[none]' },
      ...mutual,
    },
    read: {
      decision: 'denied',
      policy: undefined,
      transport: 'mtls',
      callerId: 'spiffe://example.org/ns/shop/sa/web',
      sampled: false,
      first: true,
    },
  },
  {
    what: 'an allowed call by mutual TLS, of a captured port',
    given: {
      accessLogType: AccessLogType.DownstreamEnd,
      customTags: { chain: 'inbound/8080/mutual-tls-other', details: 'via_upstream' },
      metadata: {
        filterMetadata: { 'envoy.filters.http.rbac': { citadel_allow_enforced_effective_policy_id: 'yes' } },
      },
      ...mutual,
    },
    read: { decision: 'allowed', policy: 'shop/yes', transport: 'mtls', sampled: true },
  },
  {
    what: 'the application’s own 403',
    given: {
      accessLogType: AccessLogType.DownstreamEnd,
      customTags: { chain: 'mutual-tls', details: 'via_upstream' },
      responseFlags: {},
    },
    read: { decision: 'allowed', reason: undefined },
  },
  {
    what: 'a denied connection',
    given: {
      accessLogType: AccessLogType.TcpConnectionEnd,
      connectionTerminationDetails: 'rbac_access_denied_matched_policy[no]',
      customTags: { chain: 'plaintext' },
    },
    read: { decision: 'denied', policy: 'shop/no', first: false },
  },
  {
    what: 'plaintext in a strict port',
    given: {
      responseFlags: { noRouteFound: true },
      customTags: { details: 'filter_chain_not_found' },
      downstreamTransportFailureReason: 'TLS_error|error:1000009c:SSL routines:OPENSSL_internal:HTTP_REQUEST',
    },
    read: {
      transport: 'plaintext',
      decision: 'denied',
      unproved: true,
      reason: 'filter_chain_not_found',
      callerId: undefined,
    },
  },
  {
    what: 'a failed handshake',
    given: {
      customTags: { chain: 'mutual-tls' },
      downstreamTransportFailureReason: 'TLS_error: no certificate',
    },
    read: {
      transport: 'other-tls',
      decision: 'denied',
      unproved: true,
      reason: 'TLS_error: no certificate',
      callerId: undefined,
    },
  },
  {
    what: 'a connection by mutual TLS that was reset',
    given: {
      accessLogType: AccessLogType.TcpConnectionEnd,
      customTags: { chain: 'mutual-tls' },
      downstreamTransportFailureReason: 'TLS_error: reset',
    },
    read: { transport: 'mtls', decision: 'allowed', unproved: false },
  },
  {
    what: 'a connection to a capture port itself',
    given: { customTags: { chain: 'refused' } },
    read: { transport: 'plaintext', decision: 'denied', unproved: false },
  },
  {
    what: 'the application’s own TLS',
    given: { accessLogType: AccessLogType.TcpUpstreamConnected, customTags: { chain: 'tls-passthrough' } },
    read: { transport: 'other-tls', decision: 'allowed', first: true },
  },
  {
    what: 'a plaintext connection that goes on',
    given: { accessLogType: AccessLogType.TcpPeriodic, customTags: { chain: 'plaintext' } },
    read: { transport: 'plaintext', decision: 'allowed', at: now, first: false },
  },
  {
    what: 'a connection without a byte',
    given: { accessLogType: AccessLogType.TcpConnectionEnd, customTags: { chain: 'plaintext' } },
    read: { transport: 'plaintext', decision: 'unserved', first: false },
  },
  {
    what: 'one with a greeting alone',
    given: {
      accessLogType: AccessLogType.TcpConnectionEnd,
      customTags: { chain: 'plaintext' },
      downstreamWireBytesSent: 2n,
    },
    read: { decision: 'allowed' },
  },
  {
    what: 'a request that no application took',
    given: {
      accessLogType: AccessLogType.DownstreamEnd,
      customTags: { chain: 'plaintext', details: 'upstream_reset_before_response_started{x}' },
      responseFlags: { upstreamConnectionFailure: true },
      downstreamWireBytesReceived: 66n,
    },
    read: { decision: 'unserved', first: false },
  },
  {
    what: 'a connection by mutual TLS without a byte',
    given: { accessLogType: AccessLogType.TcpConnectionEnd, customTags: { chain: 'mutual-tls' }, ...mutual },
    read: { transport: 'mtls', decision: 'allowed' },
  },
  {
    what: 'text that would deceive whoever reads it',
    given: {
      accessLogType: AccessLogType.DownstreamEnd,
      customTags: {
        chain: 'plaintext',
        path: '/\u001b[2Ja\u202eb',
        method: 'GET\n',
        details: 'ext_authz\r\u2028',
      },
    },
    read: { path: '/\uFFFD[2Ja\uFFFDb', method: 'GET\uFFFD', reason: 'ext_authz\uFFFD\uFFFD' },
  },
  {
    what: 'IPv4 within IPv6, and a clock that is ahead',
    given: {
      accessLogType: AccessLogType.TcpUpstreamConnected,
      customTags: { chain: 'plaintext' },
      downstreamDirectRemoteAddress: socket('::ffff:10.0.0.9', 1),
      startTime: new Date(now.getTime() + 60_000),
    },
    read: { callerAddress: '10.0.0.9', at: now },
  },
];

describe('an access log entry', () => {
  test.each(cases)('$what', ({ given, read: expected }) => {
    expect(read(given)).toMatchObject(expected);
  });

  test.each([
    { what: 'an unknown chain', given: { customTags: { chain: 'mine' } } },
    { what: 'no chain, though one was found', given: {} },
    {
      what: 'no caller',
      given: { downstreamDirectRemoteAddress: undefined, customTags: { chain: 'plaintext' } },
    },
    ...['a'.repeat(65), 'here', '10.0.0', '', '10.0.0.7\n'].map((text) => ({
      what: `${JSON.stringify(text)} as an address`,
      given: { downstreamDirectRemoteAddress: socket(text, 1), customTags: { chain: 'plaintext' } },
    })),
    ...[0, 65_536, 4_294_967_295].map((port) => ({
      what: `the port ${port}`,
      given: { downstreamLocalAddress: socket('10.0.0.1', port), customTags: { chain: 'plaintext' } },
    })),
    ...['spiffe://example.org/a\nb', 'https://a', 'spiffe://example.org/'.padEnd(3000, 'a')].map((value) => ({
      what: `${value.slice(0, 30)} as a SPIFFE ID`,
      given: {
        customTags: { chain: 'mutual-tls' },
        tlsProperties: {
          peerCertificateProperties: { subjectAltName: [{ san: { $case: 'uri' as const, value } }] },
        },
      },
    })),
  ])('is refused with $what', ({ given }) => {
    expect(() => read(given)).toThrow(/an access log entry/);
  });

  test('keeps no text longer than a limit', () => {
    const customTags = { chain: 'plaintext', path: `/${'a'.repeat(100)}` };
    expect(read({ accessLogType: AccessLogType.DownstreamStart, customTags }).path).toHaveLength(64);
  });
});

describe('a denial', () => {
  const id = '0c6f3e0a-93f4-4c55-8f0e-0f7f0d6f5a11';
  const denied = (tags: Readonly<Record<string, string>>, more: Given = {}) =>
    read({
      accessLogType: AccessLogType.DownstreamEnd,
      customTags: {
        chain: 'mutual-tls',
        denial: id,
        details: 'rbac_access_denied_matched_policy[none]',
        ...tags,
      },
      ...mutual,
      ...more,
    }).denial;

  test('has what explains it', () => {
    expect(denied({ method: 'GET', path: '/a?token=secret', host: 'orders.shop' })).toEqual({
      id,
      step: 'DENY',
      remoteAddress: undefined,
      calleeAddress: '10.0.0.1',
      inexact: [],
    });
  });

  test('is told for whom it was forwarded, who has no port', () => {
    expect(denied({}, { downstreamRemoteAddress: socket('203.0.113.9', 0) })?.remoteAddress).toBe(
      '203.0.113.9',
    );
  });

  test.each([
    ['a longer path than is kept', { path: `/${'a'.repeat(100)}` }, ['path']],
    ['what cannot be shown', { host: 'a\u202Eb', method: 'GE\u0007T' }, ['method', 'host']],
  ])('says that %s is not told as it came', (_, tags: Record<string, string>, inexact) => {
    expect(denied(tags)?.inexact).toEqual(inexact);
  });

  test.each([
    ['jwt_authn_access_denied{Jwt_is_expired}', 'token'],
    ['ext_authz_denied', 'CUSTOM'],
    ['rbac_access_denied_matched_policy[x]', 'DENY'],
  ])('by %s is one of the step %s', (details, step) => {
    expect(denied({ details })?.step).toBe(step);
  });

  test.each([[''], ['x'], [`${id}0`], [id.toUpperCase()], ['../../etc']])('has no name %j', (denial) => {
    expect(denied({ denial })).toMatchObject({ id: undefined, step: 'DENY' });
  });

  test('of a connection has no name, and a step all the same', () => {
    const connection = (more: Given) =>
      read({
        accessLogType: AccessLogType.TcpConnectionEnd,
        customTags: { chain: 'mutual-tls' },
        ...mutual,
        ...more,
      }).denial;
    const by = (connectionTerminationDetails: string) => connection({ connectionTerminationDetails });
    expect(by('rbac_access_denied_matched_policy[x]')).toMatchObject({ id: undefined, step: 'DENY' });
    expect(by('ext_authz_denied')).toMatchObject({ id: undefined, step: 'CUSTOM' });
    const failed = { accessLogType: AccessLogType.NotSet, downstreamTransportFailureReason: 'TLS_error' };
    expect(connection(failed)).toMatchObject({ id: undefined, step: 'connection' });
  });

  test('is none where the application answered, whatever header it sends', () => {
    expect(denied({ details: 'via_upstream' })).toBeUndefined();
  });
});
