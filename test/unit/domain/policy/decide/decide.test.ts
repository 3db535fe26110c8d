import { describe, expect, test } from 'vitest';
import {
  type AuthorizationPolicy,
  type Decision,
  type DecisionContext,
  decide,
  type HttpAttributes,
  type PolicyRequest,
  parseRuleId,
  ruleId,
} from '../../../../../src/domain/policy/index.ts';
import { context, policy, type RuleText, request } from './policies.ts';

const all = [{}];
const never = [{ from: [{ namespaces: ['nobody'] }] }];
const paths = [{ to: [{ paths: ['/admin*'] }] }];
const tokens = [{ from: [{ requestPrincipals: ['*'] }] }];
const ref = (name: string, rule = 0) => ({ namespace: 'shop', name, rule });

type Row = readonly [
  name: string,
  policies: readonly AuthorizationPolicy[],
  expected: Partial<Decision>,
  context?: DecisionContext,
  request?: PolicyRequest,
];

const allowA = policy('ALLOW', all, { name: 'a' });
const denyD = policy('DENY', all, { name: 'd' });
const custom = policy('CUSTOM', all, { name: 'c', provider: 'asker' });

const rows: readonly Row[] = [
  ['without policies all is allowed', [], { verdict: 'allow', step: 'default', by: undefined }],
  ['an ALLOW that matches', [allowA], { verdict: 'allow', step: 'ALLOW', by: ref('a') }],
  [
    'an ALLOW that does not match denies',
    [policy('ALLOW', never)],
    { verdict: 'deny', step: 'ALLOW', by: undefined },
  ],
  [
    'an ALLOW without rules denies all',
    [policy('ALLOW', [])],
    { verdict: 'deny', step: 'ALLOW', by: undefined },
  ],
  ['a DENY without rules denies nothing', [policy('DENY', [])], { verdict: 'allow', step: 'default' }],
  ['a DENY goes before an ALLOW', [allowA, denyD], { verdict: 'deny', step: 'DENY', by: ref('d') }],
  [
    'a DENY that does not match leaves all else allowed',
    [policy('DENY', never)],
    { verdict: 'allow', step: 'default' },
  ],
  [
    'a CUSTOM that refuses goes before a DENY',
    [denyD, custom],
    { verdict: 'deny', step: 'CUSTOM', by: ref('c') },
    context({ custom: { asker: 'deny' } }),
  ],
  [
    'a CUSTOM that grants leaves the rest to decide',
    [denyD, custom],
    { verdict: 'deny', step: 'DENY' },
    context({ custom: { asker: 'allow' } }),
  ],
  [
    'a CUSTOM that grants is no ALLOW',
    [custom],
    { verdict: 'allow', step: 'default' },
    context({ custom: { asker: 'allow' } }),
  ],
  [
    'nobody is asked about what no rule matches',
    [policy('CUSTOM', never, { provider: 'asker' })],
    { verdict: 'allow' },
    context({ custom: { asker: 'deny' } }),
  ],
  ['a provider that is not configured refuses', [custom], { verdict: 'deny', step: 'CUSTOM', by: ref('c') }],
  ['a CUSTOM without a provider refuses', [policy('CUSTOM', all)], { verdict: 'deny', step: 'CUSTOM' }],
  [
    'the first provider by name that refuses decides',
    [custom, policy('CUSTOM', all, { name: 'b', provider: 'zed' })],
    { by: ref('c') },
    context({ custom: { zed: 'deny', asker: 'deny' } }),
  ],
  [
    'a token is not known to CUSTOM yet',
    [policy('CUSTOM', tokens, { provider: 'asker' })],
    { verdict: 'allow' },
    context({ custom: { asker: 'deny' } }),
    request({}, { jwt: { iss: 'i', sub: 's' } }),
  ],
  [
    'AUDIT decides nothing',
    [policy('AUDIT', all, { name: 'w' })],
    { verdict: 'allow', step: 'default', audit: [ref('w')] },
  ],
  [
    'AUDIT hears of what DENY refuses',
    [denyD, policy('AUDIT', all, { name: 'w' })],
    { verdict: 'deny', audit: [ref('w')] },
  ],
  [
    'AUDIT does not hear of what CUSTOM refuses',
    [custom, policy('AUDIT', all)],
    { verdict: 'deny', audit: [] },
  ],
  [
    'several rules of AUDIT are all told',
    [policy('AUDIT', [{}, {}], { name: 'w' })],
    { audit: [ref('w'), ref('w', 1)] },
  ],
  [
    'of several the first by identifier decides',
    [policy('DENY', all, { name: 'z' }), denyD],
    { by: ref('d') },
  ],
  [
    'identifiers are compared as text',
    [
      policy(
        'ALLOW',
        Array.from({ length: 11 }, (_, index) => (index === 2 || index === 10 ? {} : (never[0] ?? {}))),
        { name: 'a' },
      ),
    ],
    { by: ref('a', 10) },
  ],
  [
    'a dry run decides nothing',
    [policy('DENY', all, { name: 'd', dryRun: true })],
    { verdict: 'allow', dryRun: [{ action: 'DENY', by: ref('d') }] },
  ],
  [
    'a dry-run ALLOW shuts out nobody',
    [policy('ALLOW', never, { dryRun: true })],
    { verdict: 'allow', step: 'default', dryRun: [{ action: 'ALLOW', by: undefined }] },
  ],
  [
    'a path that is none is refused',
    [],
    { verdict: 'deny', step: 'PATH' },
    context(),
    request({ path: 'admin' }),
  ],
];

for (const [name, policies, expected, given = context(), asked = request()] of rows) {
  test(name, () => {
    expect(decide(policies, asked, given)).toMatchObject(expected);
  });
}

describe('what applications read in different ways', () => {
  const pathHeader = [{ when: [{ key: 'request.headers[:path]', notValues: ['/admin'] }] }];
  const hosts = [{ to: [{ notHosts: ['cart.shop'] }] }];
  const methods = [{ to: [{ methods: ['DELETE'] }] }];
  test.each<readonly [string, readonly RuleText[], Partial<HttpAttributes>, boolean]>([
    ['parameters, where paths are named', paths, { path: '/admin;x=1' }, true],
    ['escaped, too', paths, { path: '/admin%3bx' }, true],
    ['but not in the query', paths, { path: '/a?x;y' }, false],
    ['nor where no policy names paths', all, { path: '/admin;x=1' }, false],
    ['and where one names them by a header', pathHeader, { path: '/admin;x=1' }, true],
    ['a slash in two bytes of UTF-8', paths, { path: '/admin%c0%AFx' }, true],
    ['in three', paths, { path: '/admin%E0%80%afx' }, true],
    ['in four', paths, { path: '/admin%f0%80%80%af' }, true],
    ['two bytes that are a letter', paths, { path: '/caf%C3%A9' }, false],
    ['an escape that is none of HTTP', paths, { path: '/admin%u002fx' }, true],
    ['a method in small letters, where methods are named', methods, { method: 'delete' }, true],
    ['in some', methods, { method: 'DeLETE' }, true],
    ['and not elsewhere', paths, { method: 'get' }, false],
    ['a host that came twice, where hosts are named', hosts, { host: 'cart.shop,x' }, true],
    ['a host with a user', hosts, { host: 'user@cart.shop' }, true],
    ['and not elsewhere', methods, { host: 'user@cart.shop' }, false],
  ])('%s', (_name, rules, http, refused) => {
    const { step } = decide([policy('DENY', rules)], request(http), context());
    expect(step === 'PATH').toBe(refused);
  });
});

describe('a port that is not read as HTTP', () => {
  const tcp = context({ tcp: true, custom: { asker: 'deny' } });
  const connection: PolicyRequest = { ...request(), http: undefined };
  const mixed = [{ to: [{ ports: ['8080'], methods: ['PUT'] }] }];
  const connections: readonly Row[] = [
    ['an ALLOW loses the rule', [policy('ALLOW', mixed)], { verdict: 'deny', by: undefined }],
    [
      'whichever of its operations needs HTTP',
      [policy('ALLOW', [{ to: [{ ports: ['8080'] }, { methods: ['GET'] }] }])],
      { verdict: 'deny' },
    ],
    [
      'and keeps the others',
      [policy('ALLOW', [...mixed, {}], { name: 'a' })],
      { verdict: 'allow', by: ref('a', 1) },
    ],
    ['a DENY loses the field', [policy('DENY', mixed)], { verdict: 'deny' }],
    [
      'and keeps the others',
      [policy('DENY', [{ to: [{ ports: ['1'], methods: ['PUT'] }] }])],
      { verdict: 'allow' },
    ],
    ['a DENY by a field of HTTP alone denies all', [policy('DENY', paths)], { verdict: 'deny' }],
    ['by a notX too', [policy('DENY', [{ to: [{ notPaths: ['/a'] }] }])], { verdict: 'deny' }],
    [
      'by a header',
      [policy('DENY', [{ when: [{ key: 'request.headers[x]', values: ['a'] }] }])],
      { verdict: 'deny' },
    ],
    [
      'an ALLOW by a claim',
      [policy('ALLOW', [{ when: [{ key: 'request.auth.claims[x]', values: ['a'] }] }])],
      { verdict: 'deny' },
    ],
    ['AUDIT loses the field', [policy('AUDIT', mixed, { name: 'w' })], { audit: [ref('w')] }],
    [
      'CUSTOM loses the field',
      [policy('CUSTOM', paths, { provider: 'asker' })],
      { verdict: 'deny', step: 'CUSTOM' },
    ],
    [
      'a principal needs no HTTP',
      [policy('ALLOW', [{ from: [{ namespaces: ['shop'] }] }])],
      { verdict: 'allow' },
    ],
  ];
  for (const [name, policies, expected] of connections) {
    test(name, () => {
      expect(decide(policies, connection, tcp)).toMatchObject(expected);
    });
  }
});

test('identifiers of rules are read back', () => {
  const rule = { namespace: 'shop', name: 'front-only', rule: 12 };
  expect(parseRuleId(ruleId(rule))).toEqual(rule);
  expect(parseRuleId('ns[a]-policy[b]-rule[01]')).toBeUndefined();
  expect(parseRuleId('ns[a]-policy[b]-rule[1]x')).toBeUndefined();
});
