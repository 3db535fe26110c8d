import { describe, expect, test } from 'vitest';
import { normalizePath } from '../../../../../src/domain/policy/decide/index.ts';
import {
  type DecisionContext,
  decide,
  type Policy,
  type PolicyRequest,
} from '../../../../../src/domain/policy/index.ts';
import {
  evaluate,
  type Judgement,
  type TokenRules,
} from '../../../../../src/domain/policy/replay/evaluate.ts';
import type { DecisionRecord } from '../../../../../src/domain/ports/index.ts';
import { decisionRecord } from '../../../../contract/store-samples.ts';
import {
  type Call,
  Coverage,
  call,
  connections,
  policySet,
  Random,
  words,
} from '../../../../oracle/generate/index.ts';
import { policy } from '../mesh.ts';

const world = { trustDomain: 'example.org', trustDomainAliases: [], providers: new Set(['authz']) };
const http: Judgement = { ...world, policies: [], mode: 'PERMISSIVE', tcp: false };

const rule = (action: string, rules: readonly object[], name = 'p') =>
  policy(`shop/${name}`, { action, rules });
const to = (operation: object) => ({ to: [{ operation }] });
const from = (source: object) => ({ from: [{ source }] });
const when = (key: string, ...values: readonly string[]) => ({ when: [{ key, values }] });
const allowsWeb = rule('ALLOW', [from({ principals: ['example.org/ns/shop/sa/web'] })]);

const plaintext: Partial<DecisionRecord> = { transport: 'plaintext', caller: undefined, sampled: false };
const noRequest: Partial<DecisionRecord> = { method: undefined, path: undefined, host: undefined };

interface Case {
  readonly what: string;
  readonly record?: Partial<DecisionRecord>;
  readonly policies?: readonly Policy[];
  readonly judgement?: Partial<Judgement>;
  readonly tokens?: TokenRules;
  /** A step, or what is lacking. */
  readonly is: readonly ['allow' | 'deny', string] | readonly ['unknown', ...string[]];
}

const cases: readonly Case[] = [
  { what: 'nothing', is: ['allow', 'default'] },
  { what: 'an ALLOW that matches', policies: [allowsWeb], is: ['allow', 'ALLOW'] },
  {
    what: 'an ALLOW that does not match',
    record: { caller: 'spiffe://example.org/ns/shop/sa/cron' },
    policies: [allowsWeb],
    is: ['deny', 'ALLOW'],
  },
  {
    what: 'plaintext, which has no principal',
    record: plaintext,
    policies: [allowsWeb],
    is: ['deny', 'ALLOW'],
  },
  {
    what: 'a caller that is not recorded',
    record: { caller: undefined, lacks: ['caller'] },
    policies: [allowsWeb],
    is: ['unknown', 'caller'],
  },
  {
    what: 'a header, which no record has',
    policies: [rule('DENY', [when('request.headers[x-role]', 'admin')])],
    is: ['unknown', 'request.headers[x-role]'],
  },
  {
    what: 'a header in a rule that another part of has failed',
    policies: [rule('DENY', [{ ...to({ paths: ['/none'] }), ...when('request.headers[x-role]', 'admin') }])],
    is: ['allow', 'default'],
  },
  {
    what: 'a header beside a rule that matches',
    policies: [rule('DENY', [when('request.headers[x-role]', 'admin'), to({ methods: ['GET'] })])],
    is: ['deny', 'DENY'],
  },
  {
    what: 'a denial that does not hang on what is unknown before it',
    policies: [
      rule('DENY', [when('request.headers[x-role]', 'admin')], 'a'),
      rule('ALLOW', [to({ methods: ['POST'] })], 'b'),
    ],
    is: ['deny', 'ALLOW'],
  },
  {
    what: 'a path that is not recorded',
    record: { path: undefined, lacks: ['path'] },
    policies: [rule('ALLOW', [to({ paths: ['/a'] })])],
    is: ['unknown', 'path'],
  },
  {
    what: 'a path that is not recorded, and that nothing asks for',
    record: { path: undefined, lacks: ['path'] },
    policies: [allowsWeb],
    is: ['allow', 'ALLOW'],
  },
  {
    what: 'a path that applications read in two ways',
    record: { path: '/a;b' },
    policies: [rule('ALLOW', [to({ paths: ['/a*'] })])],
    is: ['deny', 'PATH'],
  },
  { what: 'the host', policies: [rule('DENY', [to({ hosts: ['ORDERS.shop'] })])], is: ['deny', 'DENY'] },
  {
    what: 'the host as a header',
    policies: [rule('DENY', [when('request.headers[:authority]', 'orders.*')])],
    is: ['deny', 'DENY'],
  },
  {
    what: 'the path with its query, which no record has',
    policies: [rule('DENY', [when('request.headers[:path]', '/a')])],
    is: ['unknown', 'request.headers[:path]'],
  },
  {
    what: 'addresses that are all in the block',
    policies: [rule('DENY', [from({ ipBlocks: ['10.0.0.0/24'] })])],
    is: ['deny', 'DENY'],
  },
  {
    what: 'addresses of which one alone is in the block',
    policies: [rule('DENY', [from({ notIpBlocks: ['10.0.0.7'] })])],
    is: ['unknown', 'source.ip'],
  },
  {
    what: 'addresses that are not recorded',
    record: { addresses: [], lacks: ['address'] },
    policies: [rule('DENY', [from({ ipBlocks: ['10.0.0.0/24'] })])],
    is: ['unknown', 'source.ip'],
  },
  {
    what: 'the original client, who is not recorded',
    policies: [rule('DENY', [from({ remoteIpBlocks: ['10.0.0.0/24'] })])],
    is: ['unknown', 'remote.ip'],
  },
  {
    what: 'the name of the handshake',
    policies: [rule('DENY', [when('connection.sni', 'OUTBOUND*')])],
    is: ['deny', 'DENY'],
  },
  {
    what: 'the name of a handshake that is not recorded',
    record: { serverName: undefined, lacks: ['serverName'] },
    policies: [rule('DENY', [when('connection.sni', 'x')])],
    is: ['unknown', 'connection.sni'],
  },
  {
    what: 'a port that is not recorded',
    record: { port: 0, lacks: ['port'] },
    policies: [rule('DENY', [to({ ports: ['80'] })])],
    is: ['unknown', 'port'],
  },
  {
    what: 'metadata, which no record has',
    policies: [rule('DENY', [when('experimental.envoy.filters.http.ext_authz[tier]', 'x')])],
    is: ['unknown', 'metadata of envoy.filters.http.ext_authz'],
  },
  // Tokens.
  {
    what: 'a claim where no tokens are read',
    policies: [rule('ALLOW', [from({ requestPrincipals: ['*'] })])],
    is: ['deny', 'ALLOW'],
  },
  {
    what: 'a claim where tokens are read',
    policies: [rule('ALLOW', [from({ requestPrincipals: ['*'] })])],
    tokens: 'as-recorded',
    is: ['unknown', 'token'],
  },
  { what: 'other rules of tokens', tokens: 'changed', is: ['unknown', 'token'] },
  {
    what: 'other rules of tokens for a call that is denied anyhow',
    policies: [rule('DENY', [{}])],
    tokens: 'changed',
    is: ['deny', 'DENY'],
  },
  {
    what: 'a token that was refused by the same rules',
    record: { decision: 'denied', refusedBy: 'token' },
    tokens: 'as-recorded',
    is: ['deny', 'JWT'],
  },
  {
    what: 'a denial behind a token that was good',
    record: { decision: 'denied', refusedBy: 'policies' },
    policies: [allowsWeb],
    tokens: 'as-recorded',
    is: ['allow', 'ALLOW'],
  },
  {
    what: 'a denial by an authorizer, before any token was looked at',
    record: { decision: 'denied', refusedBy: 'authorizer' },
    policies: [allowsWeb],
    tokens: 'as-recorded',
    is: ['unknown', 'token'],
  },
  // Authorizers.
  {
    what: 'an authorizer that is asked',
    policies: [policy('shop/p', { action: 'CUSTOM', provider: { name: 'authz' }, rules: [{}] })],
    is: ['unknown', 'authorizer authz'],
  },
  {
    what: 'an authorizer that is not asked',
    policies: [
      policy('shop/p', { action: 'CUSTOM', provider: { name: 'authz' }, rules: [to({ paths: ['/b'] })] }),
    ],
    is: ['allow', 'default'],
  },
  {
    what: 'an authorizer that is not there',
    policies: [policy('shop/p', { action: 'CUSTOM', provider: { name: 'other' }, rules: [{}] })],
    is: ['deny', 'CUSTOM'],
  },
  // Connections.
  { what: 'plaintext under STRICT', record: plaintext, judgement: { mode: 'STRICT' }, is: ['deny', 'TLS'] },
  { what: 'mutual TLS under STRICT', judgement: { mode: 'STRICT' }, is: ['allow', 'default'] },
  {
    what: 'mutual TLS under DISABLE',
    judgement: { mode: 'DISABLE' },
    is: ['unknown', 'how the caller connects'],
  },
  {
    what: 'other TLS under STRICT',
    record: { ...plaintext, transport: 'other-tls' },
    policies: [rule('DENY', [{}])],
    judgement: { mode: 'STRICT' },
    is: ['unknown', 'the handshake'],
  },
  {
    what: 'a handshake that failed',
    record: { ...plaintext, transport: 'other-tls', decision: 'denied', refusedBy: 'connection' },
    is: ['unknown', 'the handshake'],
  },
  {
    what: 'plaintext that was refused before its request was read',
    record: { ...plaintext, ...noRequest, decision: 'denied', refusedBy: 'connection' },
    policies: [rule('DENY', [to({ paths: ['/a'] })])],
    is: ['unknown', 'path'],
  },
  // Connections of bytes.
  {
    what: 'what is HTTP alone, in an ALLOW for bytes',
    record: noRequest,
    policies: [rule('ALLOW', [to({ methods: ['GET'] })])],
    judgement: { tcp: true },
    is: ['deny', 'ALLOW'],
  },
  {
    what: 'what is HTTP alone, in a DENY for bytes',
    record: noRequest,
    policies: [rule('DENY', [{ ...from({ namespaces: ['shop'] }), ...to({ methods: ['GET'] }) }])],
    judgement: { tcp: true },
    is: ['deny', 'DENY'],
  },
];

describe('a recorded call under policies', () => {
  test.each(cases)(
    '$what',
    ({ record, policies = [], judgement, tokens = 'none', is: [verdict, ...rest] }) => {
      const decided = evaluate(decisionRecord(record), { ...http, ...judgement, policies }, tokens);
      const told = decided.verdict === 'unknown' ? decided.lacks : [decided.step];
      expect([decided.verdict, ...told]).toStrictEqual([verdict, ...rest]);
    },
  );

  test('plaintext to a port that had no mutual TLS is another call where it has', () => {
    const recorded = { mode: 'DISABLE', comesToTokens: true } as const;
    const decided = evaluate(decisionRecord(plaintext), { ...http, mode: 'STRICT' }, 'none', recorded);
    expect(decided).toMatchObject({ verdict: 'unknown', lacks: ['how the caller connects'] });
  });
});

const attributes = ['caller', 'address', 'port', 'method', 'path', 'host', 'serverName'] as const;

function requestOf(made: Call, claims: PolicyRequest['jwt'], tcp: boolean): PolicyRequest {
  const { connection } = made;
  const headers: Record<string, string[]> = {};
  for (const [name, value] of made.headers) headers[name] = [...(headers[name] ?? []), value];
  return {
    ...(tcp ? {} : { http: { method: made.method, path: made.path, host: made.host, headers } }),
    sourcePrincipal: connection.identity,
    sourceIp: connection.sourceIp,
    remoteIp: made.clientIp ?? connection.sourceIp,
    destinationIp: connection.destinationIp,
    destinationPort: connection.port,
    sni: connection.sni,
    jwt: claims,
    metadata: { [words.metadataFilter]: made.metadata },
  };
}

/** What a proxy would have told of the request, with some of it left out. */
function recordOf(
  request: PolicyRequest,
  decision: 'allowed' | 'denied',
  lost: ReadonlySet<string>,
): DecisionRecord {
  const { http: asked, sourcePrincipal } = request;
  const kept = <T>(name: string, value: T | undefined) => (lost.has(name) ? undefined : value);
  return decisionRecord({
    transport: sourcePrincipal === undefined ? 'plaintext' : 'mtls',
    caller: kept('caller', sourcePrincipal),
    addresses: lost.has('address') ? [] : [request.sourceIp],
    port: lost.has('port') ? 0 : request.destinationPort,
    method: kept('method', asked?.method),
    path: kept('path', asked && normalizePath(asked.path)),
    host: kept('host', asked?.host),
    serverName: kept('serverName', request.sni),
    decision,
    refusedBy: decision === 'denied' ? 'policies' : undefined,
    policy: undefined,
    rule: undefined,
    lacks: attributes.filter((name) => lost.has(name)),
  });
}

describe('against the decision function, on random policies and requests', () => {
  const context: Omit<DecisionContext, 'tcp' | 'customVerdicts'> = {
    trustDomain: words.trustDomain,
    trustDomainAliases: words.trustDomainAliases,
  };
  const providers = Object.keys(words.providers);
  const outcomes = (policies: readonly Policy[], request: PolicyRequest, tcp: boolean) =>
    (['allow', 'deny'] as const).map(
      (verdict) =>
        decide(policies, request, {
          ...context,
          tcp,
          customVerdicts: new Map(providers.map((name) => [name, verdict])),
        }).verdict,
    );

  test.each([false, true])('what is told is right, whatever is lost; bytes: %s', (tcp) => {
    const random = new Random(tcp ? 11 : 12);
    const coverage = new Coverage();
    const all = connections(random, [8080, 9090], 40);
    const told = { allow: 0, deny: 0, unknown: 0 };
    for (let set = 0; set < 250; set += 1) {
      const { policies, bases } = policySet(
        { random, ports: ['8080', '9090'], coverage },
        tcp ? 'tcp' : 'http',
      );
      for (let made = 0; made < 20; made += 1) {
        const claims = random.chance(0.5)
          ? undefined
          : { iss: 'https://a.example', sub: 'ann', groups: ['staff'] };
        const request = requestOf(call(random, bases, all, [], coverage), claims, tcp);
        // Such a request is answered before any policy is asked, and recorded as none.
        if (request.http && normalizePath(request.http.path) === undefined) continue;
        const decided = outcomes(policies, request, tcp);
        const lost = new Set(attributes.filter(() => random.chance(0.15)));
        const record = recordOf(request, decided.includes('allow') ? 'allowed' : 'denied', lost);
        const judgement: Judgement = { ...http, ...context, policies, tcp, providers: new Set(providers) };
        const { verdict, lacks } = evaluate(record, judgement, 'as-recorded');
        told[verdict] += 1;
        expect(verdict === 'unknown').toBe(lacks.length > 0);
        if (verdict !== 'unknown')
          expect(new Set(decided), JSON.stringify({ record, request, policies })).toStrictEqual(
            new Set([verdict]),
          );
      }
    }
    // It is worth something: most is decided.
    expect(told.allow + told.deny).toBeGreaterThan(told.unknown);
    expect(Math.min(told.allow, told.deny)).toBeGreaterThan(300);
  });
});
