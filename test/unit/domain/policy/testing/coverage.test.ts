import { describe, expect, it } from 'vitest';
import { coverageOf, coveredPercent, describeUnit } from '../../../../../src/domain/policy/index.ts';
import { type Fields, policy, run } from './tests.ts';

/** What no case exercises. */
function open(policies: string, cases: readonly object[], spec: Fields = {}): readonly string[] {
  const ran = run(policies, {
    ...spec,
    cases: cases.map((each, index) => ({ name: `${index}`, expect: 'allowed', ...each })),
  });
  return coverageOf(ran.policies, ran.asked).flatMap(({ units }) =>
    units.filter(({ covered }) => !covered).map(describeUnit),
  );
}

const reads = policy('reads', {
  rules: [
    {
      from: [{ source: { principals: ['example.org/ns/shop/sa/web', 'example.org/ns/shop/sa/cron'] } }],
      to: [{ operation: { paths: ['/a*', '/b'], notPaths: ['/a/secret'], notMethods: ['PUT', 'POST'] } }],
      when: [{ key: 'request.headers[x-v]', values: ['1'], notValues: ['2'] }],
    },
  ],
});
const header = { headers: { 'x-v': '1' } };

describe('coverageOf', () => {
  it('tells of all that no call exercises', () => {
    expect(open(reads, [{ from: 'plaintext' }]).toSorted()).toEqual(
      [
        'spec.rules[0]: no case matches this rule',
        'spec.rules[0].from[0].source.principals[0]: no case matches by "example.org/ns/shop/sa/web"',
        'spec.rules[0].from[0].source.principals[1]: no case matches by "example.org/ns/shop/sa/cron"',
        'spec.rules[0].to[0].operation.notMethods[0]: no case is kept out by "PUT"',
        'spec.rules[0].to[0].operation.notMethods[1]: no case is kept out by "POST"',
        'spec.rules[0].to[0].operation.paths[0]: no case matches by "/a*"',
        'spec.rules[0].to[0].operation.paths[1]: no case matches by "/b"',
        'spec.rules[0].to[0].operation.notPaths[0]: no case is kept out by "/a/secret"',
        'spec.rules[0].when[0].values[0]: no case matches by "1"',
        'spec.rules[0].when[0].notValues[0]: no case is kept out by "2"',
      ].toSorted(),
    );
  });

  it('is satisfied by a call for each value, and one for each exception that it alone keeps out', () => {
    const calls = [
      { path: '/a', ...header },
      { path: '/b', from: 'cron', ...header },
      { path: '/a/secret', ...header },
      { path: '/a', method: 'PUT', ...header },
      { path: '/a', method: 'POST', ...header },
      { path: '/a', headers: { 'x-v': ['1', '2'] } },
    ];
    expect(open(reads, calls)).toEqual([]);
    for (const index of calls.keys()) expect(open(reads, calls.toSpliced(index, 1))).not.toEqual([]);
  });

  it('does not count an exception that something else keeps out as well', () => {
    expect(
      open(reads, [
        { path: '/a', ...header },
        { path: '/a/secret', method: 'PUT', ...header },
      ]),
    ).toContain('spec.rules[0].to[0].operation.notPaths[0]: no case is kept out by "/a/secret"');
  });

  it('wants a rule to be missed, but for one that matches everything', () => {
    expect(open(policy('p', { rules: [{ to: [{ operation: { methods: ['GET'] } }] }] }), [{}])).toEqual([
      'spec.rules[0]: no case fails to match this rule',
    ]);
    expect(open(policy('p', { rules: [{}] }), [{}])).toEqual([]);
    expect(open(policy('p', { rules: [] }), [{}])).toEqual([]);
  });

  it('does not count what is not asked: an ALLOW behind a denial, anything behind CUSTOM or a bad token', () => {
    const all = policy('all', { rules: [{}] });
    const first = 'spec.rules[0]: no case matches this rule';
    const denial = policy('deny', { action: 'DENY', rules: [{}] });
    expect(open(all + denial, [{ expect: 'denied' }])).toEqual([first]);
    const asking = policy('ask', { action: 'CUSTOM', provider: { name: 'ext' }, rules: [{}] });
    expect(open(asking + denial, [{ custom: { ext: 'deny' } }])).toEqual([first]);
    expect(open(asking + denial, [{ custom: { ext: 'allow' } }])).toEqual([]);
    const strict = policy('m', { mtls: { mode: 'STRICT' } }, { kind: 'PeerAuthentication' });
    expect(open(strict + denial, [{ from: 'plaintext' }])).toEqual([first]);
    expect(open(asking + denial, [{ jwt: 'invalid', custom: { ext: 'allow' } }])).toEqual([]);
    const tokens = policy(
      't',
      { jwtRules: [{ issuer: 'i', jwksUri: 'https://i.example/' }] },
      { kind: 'RequestAuthentication' },
    );
    expect(open(tokens + denial, [{ jwt: { iss: 'x' } }])).toEqual([first]);
    expect(open(tokens + denial, [{ jwt: { iss: 'i' } }])).toEqual([]);
    expect(open(tokens + denial, [{ jwt: 'invalid' }])).toEqual([first]);
    for (const jwt of ['invalid', { iss: 'x' }])
      expect(open(tokens + asking, [{ jwt, custom: { ext: 'allow' } }])).toEqual([]);
  });

  it('counts AUDIT, and what is only tried', () => {
    const audit = policy('audit', {
      action: 'AUDIT',
      rules: [{}, { to: [{ operation: { methods: ['PUT'] } }] }],
    });
    expect(open(audit, [{}])).toEqual([
      'spec.rules[1]: no case matches this rule',
      'spec.rules[1].to[0].operation.methods[0]: no case matches by "PUT"',
    ]);
    const dry = policy('dry', { action: 'DENY', rules: [{}] }).replace(
      '"namespace":"shop"',
      '"namespace":"shop","annotations":{"istio.io/dry-run":"true"}',
    );
    expect(open(dry, [{}])).toEqual([]);
    expect(open(dry, [{ to: 'other' }], { workloads: [{ name: 'other' }] })).toEqual([]);
  });

  it('does not count what is not compared on a port of TCP', () => {
    const deny = policy('deny', {
      action: 'DENY',
      rules: [{ to: [{ operation: { methods: ['GET'], ports: ['5432'] } }] }],
    });
    const workloads = [{ name: 'orders', ports: [{ port: 5432, protocol: 'tcp' }] }];
    expect(open(deny, [{}], { workloads })).toEqual([
      'spec.rules[0]: no case fails to match this rule',
      'spec.rules[0].to[0].operation.methods[0]: no case matches by "GET"',
    ]);
  });

  it('does not count calls at workloads for which the policy does not hold', () => {
    const elsewhere = policy('p', { selector: { matchLabels: { app: 'x' } }, rules: [{}] });
    expect(open(elsewhere, [{}])).toEqual(['spec.rules[0]: no case matches this rule']);
  });

  it('is told in percent, rounded down', () => {
    const ran = run(reads, { cases: [{ name: 'c', path: '/a', ...header, expect: 'allowed' }] });
    // Of eleven the match, web, /a* and the header.
    expect(coveredPercent(coverageOf(ran.policies, ran.asked))).toBe(36);
    expect(coveredPercent([])).toBe(100);
  });
});
