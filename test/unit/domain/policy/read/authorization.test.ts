import { describe, expect, it } from 'vitest';
import { faults, sound } from './parts.ts';

const rule = (part: object) => ({ rules: [part] });
const source = (given: object) => rule({ from: [{ source: given }] });
const operation = (given: object) => rule({ to: [{ operation: given }] });

describe('an AuthorizationPolicy', () => {
  it('is read with its defaults', () => {
    expect(sound('AuthorizationPolicy', { rules: [{}] })).toEqual({
      kind: 'AuthorizationPolicy',
      meta: { namespace: 'shop', name: 'web', generation: 0, origin: { source: 'T' } },
      selector: undefined,
      targetRefs: [],
      action: 'ALLOW',
      provider: undefined,
      dryRun: false,
      rules: [{ from: [], to: [], when: [] }],
    });
  });

  it('is read with every field', () => {
    const lists = (...names: readonly string[]) =>
      Object.fromEntries(
        names.map((name) => [name, [name.includes('p') && /ipBlocks/i.test(name) ? '10.0.0.0/8' : 'x']]),
      );
    const from = lists(
      'principals',
      'notPrincipals',
      'requestPrincipals',
      'notRequestPrincipals',
      'namespaces',
      'notNamespaces',
      'ipBlocks',
      'notIpBlocks',
      'remoteIpBlocks',
      'notRemoteIpBlocks',
      'trustDomains',
      'notTrustDomains',
    );
    const accounts = lists('serviceAccounts', 'notServiceAccounts');
    const to = {
      ...lists('hosts', 'notHosts', 'methods', 'notMethods', 'paths', 'notPaths'),
      ports: ['80'],
      notPorts: ['81'],
    };
    const when = [{ key: 'source.ip', values: ['10.0.0.1'], notValues: ['10.0.0.2'] }];
    const { rules, ...rest } = sound(
      'AuthorizationPolicy',
      {
        selector: { matchLabels: { app: 'web' } },
        action: 'DENY',
        rules: [{ from: [{ source: from }, { source: accounts }], to: [{ operation: to }], when }],
      },
      {
        annotations: { 'istio.io/dry-run': 'true' },
        generation: 7,
        creationTimestamp: '2026-01-02T03:04:05Z',
      },
    );
    expect(rest).toMatchObject({
      selector: { app: 'web' },
      action: 'DENY',
      dryRun: true,
      meta: { generation: 7, created: Date.UTC(2026, 0, 2, 3, 4, 5) },
    });
    expect(rules).toHaveLength(1);
    expect(rules[0]?.from).toMatchObject([from, accounts]);
    expect(rules[0]?.to).toEqual([to]);
    expect(rules[0]?.when).toEqual(when);
    // Everything that a source can hold was given: a field that is forgotten shows here.
    expect(Object.keys({ ...from, ...accounts }).toSorted()).toEqual(
      Object.keys(rules[0]?.from[0] ?? {}).toSorted(),
    );
    expect(Object.values(rules[0]?.from[0] ?? {}).filter((list) => list.length > 0)).toHaveLength(12);
  });

  it.each<[string, unknown]>([
    ['no spec at all: lets nobody in', undefined],
    ['an empty spec: lets nobody in', {}],
    ['rules: [] never matches', { rules: [] }],
    ['a rule {} matches all', { rules: [{}] }],
    ['an empty when is none', { rules: [{ when: [] }] }],
    ['a selector without labels is none', { selector: {} }],
    ['AUDIT without rules', { action: 'AUDIT' }],
    ['a Service of the group core', { targetRefs: [{ group: 'core', kind: 'Service', name: 'web' }] }],
    ['the older targetRef', { targetRef: { kind: 'Service', name: 'web' } }],
    [
      'CUSTOM by what the request is',
      { action: 'CUSTOM', provider: { name: 'opa' }, ...operation({ paths: ['/admin*'] }) },
    ],
    [
      'serviceAccounts beside what is no identity',
      source({ serviceAccounts: ['a', 'shop/b'], ipBlocks: ['10.0.0.1'] }),
    ],
    ['a wildcard in each place', source({ principals: ['*', 'a*', '*a'] })],
    ['trustDomains beside serviceAccounts', source({ trustDomains: ['a'], serviceAccounts: ['b'] })],
    [
      'CUSTOM by a filter’s metadata',
      {
        action: 'CUSTOM',
        provider: { name: 'opa' },
        ...rule({ when: [{ key: 'experimental.envoy.filters.a[b]', values: ['c'] }] }),
      },
    ],
  ])('takes %s', (_, spec) => {
    expect(faults('AuthorizationPolicy', spec)).toBe('');
  });

  it('keeps both forms of targets alike', () => {
    const reference = { kind: 'Service', name: 'web' };
    const expected = [{ group: '', kind: 'Service', name: 'web' }];
    expect(sound('AuthorizationPolicy', { targetRef: reference }).targetRefs).toEqual(expected);
    expect(
      sound('AuthorizationPolicy', { targetRefs: [{ ...reference, group: 'core' }] }).targetRefs,
    ).toEqual(expected);
  });

  it.each<[string, unknown, string]>([
    [
      'a rule that is null',
      { rules: [null] },
      'spec.rules[0]: Invalid input: expected object, received null',
    ],
    ['from: []', rule({ from: [] }), 'spec.rules[0].from: must not be empty'],
    ['to: []', rule({ to: [] }), 'spec.rules[0].to: must not be empty'],
    ['from without source', rule({ from: [{}] }), 'spec.rules[0].from[0].source: is required'],
    ['to without operation', rule({ to: [{}] }), 'spec.rules[0].to[0].operation: is required'],
    ['an empty source', source({}), 'spec.rules[0].from[0].source: an empty source is refused'],
    ['an empty operation', operation({}), 'spec.rules[0].to[0].operation: an empty operation is refused'],
    [
      'an empty list of values',
      source({ principals: [] }),
      'source.principals: must not be empty: leave the key out',
    ],
    ['an empty value', source({ principals: ['a', ''] }), 'source.principals[1]: must not be empty'],
    ['an empty namespace', source({ namespaces: [''] }), 'source.namespaces[0]: must not be empty'],
    ['an empty method', operation({ methods: [''] }), 'operation.methods[0]: must not be empty'],
    [
      'a number among ports',
      operation({ ports: [8080] }),
      'operation.ports[0]: must be a string, not a number; put it in quotes: "8080"',
    ],
    [
      'an unknown field of a source',
      source({ principal: ['a'] }),
      'source.principal: unknown key; did you mean principals?',
    ],
    [
      'an unknown field of an operation',
      operation({ path: ['a'] }),
      'operation.path: unknown key; did you mean paths?',
    ],
    ['an unknown field of a rule', rule({ form: [] }), 'spec.rules[0].form: unknown key; did you mean from?'],
    [
      'an unknown action',
      { action: 'DENNY' },
      'spec.action: must be one of ALLOW, DENY, AUDIT, CUSTOM; did you mean DENY?',
    ],
    [
      'CUSTOM by trust domain, as by any other identity',
      { action: 'CUSTOM', provider: { name: 'x' }, ...source({ notTrustDomains: ['a'] }) },
      'spec.rules[0].from[0].source.notTrustDomains: notTrustDomains cannot be matched with the action CUSTOM',
    ],
    [
      'CUSTOM by source.trustDomain',
      {
        action: 'CUSTOM',
        provider: { name: 'x' },
        ...rule({ when: [{ key: 'source.trustDomain', values: ['a'] }] }),
      },
      'spec.rules[0].when[0].key: source.trustDomain cannot be matched with the action CUSTOM',
    ],
    [
      'CUSTOM without a provider',
      { action: 'CUSTOM', rules: [{}] },
      'spec.provider: the action CUSTOM needs provider.name',
    ],
    [
      'CUSTOM with a provider without a name',
      { action: 'CUSTOM', provider: {}, rules: [{}] },
      'spec.provider.name: is required',
    ],
    [
      'CUSTOM without a rule',
      { action: 'CUSTOM', provider: { name: 'x' } },
      'spec.rules: CUSTOM without a rule never applies',
    ],
    [
      'DENY without a rule',
      { action: 'DENY' },
      'spec.rules: DENY without a rule never applies; write rules: [{}]',
    ],
    ['DENY with rules: []', { action: 'DENY', rules: [] }, 'spec.rules: DENY without a rule never applies'],
    [
      'a provider without CUSTOM',
      { provider: { name: 'x' }, rules: [{}] },
      'spec.provider: only the action CUSTOM takes a provider, not ALLOW',
    ],
    [
      'CUSTOM by principal',
      { action: 'CUSTOM', provider: { name: 'x' }, ...source({ principals: ['a'] }) },
      'spec.rules[0].from[0].source.principals: principals cannot be matched with the action CUSTOM',
    ],
    [
      'CUSTOM by token',
      {
        action: 'CUSTOM',
        provider: { name: 'x' },
        ...rule({ when: [{ key: 'request.auth.claims[a]', values: ['b'] }] }),
      },
      'spec.rules[0].when[0].key: request.auth.claims[a] cannot be matched with the action CUSTOM',
    ],
    [
      'serviceAccounts and principals',
      source({ serviceAccounts: ['a'], principals: ['b'] }),
      'source.serviceAccounts: serviceAccounts and principals cannot be in one source',
    ],
    [
      'notServiceAccounts and namespaces',
      source({ notServiceAccounts: ['a'], namespaces: ['b'] }),
      'source.notServiceAccounts: notServiceAccounts and namespaces cannot be in one source',
    ],
    [
      'too many service accounts',
      source({ serviceAccounts: Array.from({ length: 17 }, (_, n) => `a${n}`) }),
      'source.serviceAccounts: must not hold more than 16',
    ],
    [
      'too many rules',
      { rules: Array.from({ length: 513 }, () => ({})) },
      'spec.rules: must not hold more than 512 rules',
    ],
    [
      'selector and targetRefs',
      { selector: {}, targetRefs: [{ kind: 'Service', name: 'a' }] },
      'spec.targetRefs: only one of selector and targetRefs may be there',
    ],
    [
      'targetRef and targetRefs',
      { targetRef: { kind: 'Service', name: 'a' }, targetRefs: [{ kind: 'Service', name: 'a' }] },
      'spec.targetRefs: only one of',
    ],
    [
      'a target of another kind',
      { targetRefs: [{ kind: 'Pod', name: 'a' }] },
      'spec.targetRefs[0].kind: must be one of Service',
    ],
    [
      'a target of the wrong group',
      { targetRefs: [{ group: 'apps', kind: 'Service', name: 'a' }] },
      'spec.targetRefs[0].group: Service is of the group "", not "apps"',
    ],
    [
      'a target without a name',
      { targetRefs: [{ kind: 'Service' }] },
      'spec.targetRefs[0].name: is required',
    ],
    [
      'a target elsewhere',
      { targetRefs: [{ kind: 'Service', name: 'a', namespace: 'b' }] },
      'spec.targetRefs[0].namespace: a target of another namespace cannot be named',
    ],
    [
      'a wildcard in a label',
      { selector: { matchLabels: { app: 'w*' } } },
      'spec.selector.matchLabels.app: labels know no wildcards',
    ],
    ['an empty label key', { selector: { matchLabels: { '': 'x' } } }, 'is no label’s key'],
    ['a label key of two prefixes', { selector: { matchLabels: { 'a/b/c': 'x' } } }, 'is no label’s key'],
    [
      'a label value that is too long',
      { selector: { matchLabels: { app: 'x'.repeat(64) } } },
      'is no label’s value',
    ],
    [
      'matchExpressions',
      { selector: { matchExpressions: [] } },
      'spec.selector.matchExpressions: unknown key',
    ],
  ])('refuses %s', (_, spec, expected) => {
    expect(faults('AuthorizationPolicy', spec)).toContain(expected);
  });
});

describe('an IP block', () => {
  it.each([
    '10.1.2.3',
    '10.0.0.0/8',
    '10.1.2.3/8',
    '0.0.0.0/0',
    '::1',
    '2001:db8::/32',
    '::ffff:10.0.0.1',
    '::/0',
  ])('may be %s', (block) => {
    expect(faults('AuthorizationPolicy', source({ ipBlocks: [block], notRemoteIpBlocks: [block] }))).toBe('');
  });

  it.each([
    '10.1.2',
    '10.0.0.0/33',
    '::/129',
    '10.0.0.0/',
    '10.0.0.0/08',
    '10.0.0.0/-1',
    '010.0.0.1',
    'fe80::1%eth0',
    'localhost',
    '10.0.0.1/8/8',
  ])('may not be %s', (block) => {
    expect(faults('AuthorizationPolicy', source({ ipBlocks: [block] }))).toContain(
      'is no IP address and no CIDR',
    );
  });

  it('knows no wildcards, and says what is meant', () => {
    expect(faults('AuthorizationPolicy', source({ notIpBlocks: ['10.1.2.*'] }))).toContain(
      'IP blocks know no wildcards: write a CIDR',
    );
  });
});

describe('a trust domain', () => {
  it.each(['example.org', 'ex*', '*.org', '*', `*${'a'.repeat(64)}`])('may be %s', (name) => {
    const spec = source({ trustDomains: [name], notTrustDomains: [name] });
    expect(faults('AuthorizationPolicy', spec)).toBe('');
    expect(
      faults('AuthorizationPolicy', rule({ when: [{ key: 'source.trustDomain', values: [name] }] })),
    ).toBe('');
  });
  it.each([
    ['', 'must not be empty'],
    ['a/b', '"a/b" is more than a trust domain; write "a", or match principals'],
    ['spiffe://example.org', 'is more than a trust domain; write "example.org"'],
    ['a*b', 'holds a * that is no wildcard'],
    ['*a*', 'holds a * that is no wildcard'],
    ['**', 'holds a * that is no wildcard'],
    [`*${'a'.repeat(65)}`, 'is a longer end than a proxy can compare'],
  ])('may not be %s', (name, expected) => {
    expect(faults('AuthorizationPolicy', source({ trustDomains: [name] }))).toContain(expected);
    expect(faults('AuthorizationPolicy', source({ notTrustDomains: [name] }))).toContain(expected);
    expect(
      faults('AuthorizationPolicy', rule({ when: [{ key: 'source.trustDomain', notValues: [name] }] })),
    ).toContain(expected);
  });
});

describe('dry run', () => {
  it.each<[string, boolean]>([
    ...['true', 'True', 'TRUE', 't', 'T', '1'].map((text): [string, boolean] => [text, true]),
    ...['false', 'False', 'FALSE', 'f', 'F', '0'].map((text): [string, boolean] => [text, false]),
  ])('is read of %s, as Istio reads it', (text, dryRun) => {
    const annotations = { 'istio.io/dry-run': text };
    expect(sound('AuthorizationPolicy', {}, { annotations }).dryRun).toBe(dryRun);
  });
  it.each(['yes', '', 'tRUE', 'on'])('is refused of %j, which Istio takes for false', (text) => {
    const annotations = { 'istio.io/dry-run': text };
    expect(faults('AuthorizationPolicy', {}, { annotations })).toContain('must be "true" or "false"');
  });
});

describe('a port', () => {
  it('counts from 0, and zeros in front say nothing', () => {
    const policy = sound('AuthorizationPolicy', {
      rules: [
        {
          to: [{ operation: { ports: ['080', '0'], notPorts: ['00443'] } }],
          when: [{ key: 'destination.port', values: ['0080'], notValues: ['8080'] }],
        },
      ],
    });
    expect(policy.rules[0]).toMatchObject({
      to: [{ ports: ['80', '0'], notPorts: ['443'] }],
      when: [{ key: 'destination.port', values: ['80'], notValues: ['8080'] }],
    });
  });
  it.each(['0', '1', '80', '65535', '080'])('may be %s', (port) => {
    expect(faults('AuthorizationPolicy', operation({ ports: [port], notPorts: [port] }))).toBe('');
  });
  it.each(['65536', '-1', '+80', '80-90', '80*', '*', 'http', '1e3', '0x50', '80.0'])(
    'may not be %s',
    (port) => {
      expect(faults('AuthorizationPolicy', operation({ ports: [port] }))).toContain('is no port');
      expect(faults('AuthorizationPolicy', operation({ notPorts: [port] }))).toContain('is no port');
    },
  );
});

describe('a method', () => {
  it.each(['GET', 'get', 'PROPFIND', 'P*', '*'])('may be %s', (method) => {
    expect(faults('AuthorizationPolicy', operation({ methods: [method] }))).toBe('');
  });
  it.each(['GET, POST', 'GET POST', 'GÉT'])('may not be %s', (method) => {
    expect(faults('AuthorizationPolicy', operation({ notMethods: [method] }))).toContain(
      'can be no HTTP method',
    );
  });
});

describe('a path', () => {
  it.each([
    '/',
    '/a',
    '/a*',
    '*a',
    '*',
    'a',
    '/a//b',
    '/{*}',
    '/{**}',
    '/a/{*}/b/{**}',
    '/a/{**}/',
    '/{*}/{*}/',
    '/a/{**}/b',
    '/%20;x=1/{*}',
    '/pkg.Service/{*}',
  ])('may be %s', (path) => {
    expect(faults('AuthorizationPolicy', operation({ paths: [path], notPaths: [path] }))).toBe('');
  });
  it.each([
    ['/{**}/a/{*}', 'no operator may follow {**}'],
    ['/{**}/{**}', 'no operator may follow {**}'],
    ['/a/{*}.txt', 'an operator must be a whole segment'],
    ['/a/x{**}', 'an operator must be a whole segment'],
    ['/{a}', 'braces belong to the operators'],
    ['/{a=*}', 'braces belong to the operators'],
    ['/a}', 'braces belong to the operators'],
    ['/{*}/{a}', 'an operator must be a whole segment'],
    ['/*/a/{*}', 'holds what a template cannot match; within a template write {*} for *'],
    ['/**/a/{*}', 'holds what a template cannot match'],
    ['/{*}/a*', 'holds what a template cannot match'],
    ['/a b/{*}', 'escape it as the request does'],
    ['/a//{*}', 'a template must not hold //'],
    [`/{*}${'/a'.repeat(17)}`, 'is too long for a template: at most 16 segments'],
    [`/{*}/${'a'.repeat(80)}`, 'is too long for a template'],
    ['{*}/a', 'a template must begin with /; write /{*}/a'],
  ])('may not be %s', (path, expected) => {
    expect(faults('AuthorizationPolicy', operation({ paths: [path] }))).toContain(expected);
    expect(faults('AuthorizationPolicy', operation({ notPaths: [path] }))).toContain(expected);
  });
});

describe('a service account', () => {
  it.each(['web', 'shop/web', 'a.b'])('may be %s', (account) => {
    expect(faults('AuthorizationPolicy', source({ serviceAccounts: [account] }))).toBe('');
  });
  it.each(['*', 'shop/*', 'a/b/c', '/a', 'a/', 'Web', 'a'.repeat(254), 'x.y/a'])(
    'may not be %s',
    (account) => {
      expect(faults('AuthorizationPolicy', source({ notServiceAccounts: [account] }))).toMatch(
        /is no service account|no wildcards/,
      );
    },
  );
});
