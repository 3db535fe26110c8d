import { describe, expect, test } from 'vitest';
import {
  type AuthorizationPolicy,
  type DecisionContext,
  type Explanation,
  explain,
  type FieldFinding,
  type PolicyRequest,
  type RequestAttribute,
  type RuleFinding,
  readPolicies,
} from '../../../../../src/domain/policy/index.ts';
import { context, policy, request } from '../decide/policies.ts';

const front = 'mesh.example/ns/shop/sa/front';

/** A field in one line: what became of it, where that stands, what was asked for, and what came. */
function told({ outcome, path, entry, wanted, unwanted, came }: FieldFinding): string {
  const asked = entry ?? [...wanted, ...unwanted.map((each) => `not ${each}`)].join('|');
  return `${outcome} ${path} ${asked} <- ${came === undefined ? '?' : came.join('|') || 'nothing'}`;
}

const linesOf = (rule: RuleFinding | undefined) => rule?.fields.map(told);

type Row = readonly [
  name: string,
  policies: readonly AuthorizationPolicy[],
  expected: {
    readonly verdict: string;
    readonly by?: readonly string[];
    readonly near?: readonly (readonly string[])[];
  },
  rest?: { readonly request?: PolicyRequest; readonly context?: DecisionContext },
];

const rows: readonly Row[] = [
  ['nothing speaks of it', [], { verdict: 'allow by default' }],
  [
    'the entry that matched, of several, in the alternative that matched',
    [
      policy('ALLOW', [
        {
          from: [{ principals: ['x/ns/a/sa/b'] }, { namespaces: ['bank', 'shop'] }],
          to: [{ methods: ['PUT'] }, { paths: ['/a', '/b*'], notPaths: ['/b/c'] }],
          when: [{ key: 'request.headers[X-Tier]', values: ['g*'] }],
        },
      ]),
    ],
    {
      verdict: 'allow by ALLOW',
      by: [
        'matches spec.rules[0].from[1].source.namespaces[1] shop <- spiffe://mesh.example/ns/shop/sa/front',
        'matches spec.rules[0].to[1].operation.paths[1] /b* <- /b/d',
        'matches spec.rules[0].when[0].values[0] g* <- gold',
      ],
    },
    { request: request({ path: '/x/../b/d?q', headers: { 'x-tier': ['gold'] } }) },
  ],
  [
    'a DENY, by its not list',
    [policy('ALLOW', [{}]), policy('DENY', [{ from: [{ notNamespaces: ['bank'] }] }], { name: 'd' })],
    {
      verdict: 'deny by DENY',
      by: [
        'matches spec.rules[0].from[0].source.notNamespaces not bank <- spiffe://mesh.example/ns/shop/sa/front',
      ],
    },
  ],
  [
    'the rules that missed, the one by the fewest fields first',
    [
      policy('ALLOW', [
        {
          from: [{ principals: ['mesh.example/ns/shop/sa/back'] }],
          to: [{ methods: ['PUT'], paths: ['/admin'] }],
        },
        { from: [{ principals: [front] }], to: [{ methods: ['PUT', 'POST'], paths: ['/a'] }] },
      ]),
    ],
    {
      verdict: 'deny by ALLOW',
      near: [
        [
          `matches spec.rules[1].from[0].source.principals[0] ${front} <- spiffe://${front}`,
          'misses spec.rules[1].to[0].operation.methods PUT|POST <- GET',
          'matches spec.rules[1].to[0].operation.paths[0] /a <- /a',
        ],
        [
          `misses spec.rules[0].from[0].source.principals mesh.example/ns/shop/sa/back <- spiffe://${front}`,
          'misses spec.rules[0].to[0].operation.methods PUT <- GET',
          'misses spec.rules[0].to[0].operation.paths /admin <- /a',
        ],
      ],
    },
    { request: request({ path: '/a' }) },
  ],
  [
    'of rules that missed by as much, the one that looks most alike first',
    [
      policy('ALLOW', [
        { to: [{ paths: ['/zzz'] }] },
        { to: [{ paths: ['/orders/41'] }] },
        { to: [{ paths: ['/order'] }] },
      ]),
    ],
    {
      verdict: 'deny by ALLOW',
      near: [
        ['misses spec.rules[1].to[0].operation.paths /orders/41 <- /orders/42'],
        ['misses spec.rules[2].to[0].operation.paths /order <- /orders/42'],
        ['misses spec.rules[0].to[0].operation.paths /zzz <- /orders/42'],
      ],
    },
    { request: request({ path: '/orders/42' }) },
  ],
  [
    'an entry of a not list that excludes',
    [policy('ALLOW', [{ to: [{ paths: ['*'], notPaths: ['/x', '/a*'] }] }])],
    {
      verdict: 'deny by ALLOW',
      near: [['misses spec.rules[0].to[0].operation.notPaths[1] /a* <- /ab']],
    },
    { request: request({ path: '/ab' }) },
  ],
  [
    'what plaintext and a request without a token lack',
    [policy('ALLOW', [{ from: [{ namespaces: ['shop'], requestPrincipals: ['*'] }] }])],
    {
      verdict: 'deny by ALLOW',
      near: [
        [
          'misses spec.rules[0].from[0].source.requestPrincipals * <- nothing',
          'misses spec.rules[0].from[0].source.namespaces shop <- nothing',
        ],
      ],
    },
    { request: request({}, { sourcePrincipal: undefined }) },
  ],
  [
    'a claim, its list and what is no string in it',
    [policy('ALLOW', [{ when: [{ key: 'request.auth.claims[groups]', values: ['staff'] }] }])],
    {
      verdict: 'deny by ALLOW',
      near: [['misses spec.rules[0].when[0].values staff <- clerks|7']],
    },
    { request: request({}, { jwt: { groups: ['clerks', 7] } }) },
  ],
  [
    'an ALLOW that asks for HTTP on a port that is not: it can never match there, whatever else it names',
    [
      policy('ALLOW', [
        { from: [{ namespaces: ['shop'] }], to: [{ ports: ['8080'] }, { methods: ['GET'] }] },
      ]),
    ],
    {
      verdict: 'deny by ALLOW',
      near: [
        [
          'matches spec.rules[0].from[0].source.namespaces[0] shop <- spiffe://mesh.example/ns/shop/sa/front',
          'matches spec.rules[0].to[0].operation.ports[0] 8080 <- 8080',
          'misses spec.rules[0].to[1].operation.methods GET <- ?',
        ],
      ],
    },
    { context: context({ tcp: true }) },
  ],
  [
    'a DENY there is read without what asks for HTTP',
    [policy('DENY', [{ to: [{ methods: ['PUT'], ports: ['8080'] }] }])],
    {
      verdict: 'deny by DENY',
      by: [
        'matches spec.rules[0].to[0].operation.ports[0] 8080 <- 8080',
        'matches spec.rules[0].to[0].operation.methods PUT <- ?',
      ],
    },
    { context: context({ tcp: true }) },
  ],
  [
    'what a provider that refuses was asked about',
    [policy('CUSTOM', [{ to: [{ paths: ['/a*'] }] }], { provider: 'asker' })],
    { verdict: 'deny by CUSTOM', by: ['matches spec.rules[0].to[0].operation.paths[0] /a* <- /a'] },
    { request: request({ path: '/a' }), context: context({ custom: { asker: 'deny' } }) },
  ],
  [
    'a path that has no form to compare',
    [],
    { verdict: 'deny by PATH' },
    { request: request({ path: '*' }) },
  ],
];

for (const [name, policies, expected, rest = {}] of rows)
  test(name, () => {
    const found = explain(policies, rest.request ?? request(), rest.context ?? context());
    expect({
      verdict: `${found.verdict} by ${found.step}`,
      ...(expected.by ? { by: linesOf(found.by) } : {}),
      ...(expected.near ? { near: found.near.map(linesOf) } : {}),
    }).toEqual(expected);
  });

function withUnknown(...unknown: readonly RequestAttribute[]) {
  return { isKnown: (attribute: RequestAttribute) => !unknown.includes(attribute) };
}

const depends = ({ verdict, dependsOn }: Explanation) => ({ verdict, on: dependsOn.attributes });

describe('what is not known', () => {
  const allow = policy('ALLOW', [
    { from: [{ namespaces: ['bank'] }], to: [{ methods: ['PUT'] }] },
    { from: [{ namespaces: ['shop'] }], to: [{ methods: ['GET'] }] },
  ]);

  test('is named where the verdict hangs on it', () => {
    const found = explain([allow], request(), context(), withUnknown('request.method', 'connection.sni'));
    expect(depends(found)).toEqual({ verdict: 'depends', on: ['request.method'] });
    expect(found.step).toBeUndefined();
    expect(linesOf(found.steps.at(-1)?.rules[0])).toContain(
      'depends spec.rules[1].to[0].operation.methods GET <- ?',
    );
  });

  test('is nobody’s worry where another field decides', () => {
    const other = request({}, { sourcePrincipal: 'spiffe://mesh.example/ns/other/sa/x' });
    expect(depends(explain([allow], other, context(), withUnknown('request.method')))).toEqual({
      verdict: 'deny',
      on: [],
    });
    const denied = [policy('DENY', [{}], { name: 'd' }), allow];
    expect(depends(explain(denied, request(), context(), withUnknown('request.method')))).toEqual({
      verdict: 'deny',
      on: [],
    });
  });

  test('of a path, method or host is taken to be plain, and said to be', () => {
    const found = explain([allow], request(), context(), withUnknown('request.path', 'request.method'));
    expect(found.takenAsPlain).toEqual(['path', 'method']);
    expect(found.path).toBeUndefined();
  });

  test('of a header leaves others known', () => {
    const two = policy('ALLOW', [{ when: [{ key: 'request.headers[x-a]', values: ['1'] }] }]);
    const asked = request({ headers: { 'x-a': ['1'] } });
    expect(explain([two], asked, context(), withUnknown('request.headers[x-b]')).verdict).toBe('allow');
    expect(depends(explain([two], asked, context(), withUnknown('request.headers[x-a]')))).toEqual({
      verdict: 'depends',
      on: ['request.headers[x-a]'],
    });
  });

  test('is the answer of a provider, where one is asked', () => {
    const custom = policy('CUSTOM', [{ to: [{ paths: ['/a'] }] }], { name: 'c', provider: 'asker' });
    const options = { unanswered: new Set(['asker']) };
    const asked = explain([custom], request({ path: '/a' }), context(), options);
    expect({ verdict: asked.verdict, providers: asked.dependsOn.providers }).toEqual({
      verdict: 'depends',
      providers: ['asker'],
    });
    expect(explain([custom], request({ path: '/b' }), context(), options).verdict).toBe('allow');
    expect(explain([custom], request({ path: '/a' }), context()).verdict, 'nobody is there to ask').toBe(
      'deny',
    );
  });
});

test('steps behind the one that decided are told, as not reached', () => {
  const found = explain([policy('DENY', [{}], { name: 'd' }), policy('ALLOW', [])], request(), context());
  expect(
    found.steps.map(({ step, outcome, reached }) => `${step} ${outcome}${reached ? '' : ', not reached'}`),
  ).toEqual(['PATH passes', 'CUSTOM passes', 'AUDIT passes', 'DENY denies', 'ALLOW denies, not reached']);
  expect(found.withoutRules.map(({ name }) => name)).toEqual(['p']);
});

test('a path that is refused for its form says which part, and which is canonical', () => {
  const found = explain(
    [policy('DENY', [{ to: [{ paths: ['/a'] }] }])],
    request({ path: '/x/;y' }),
    context(),
  );
  expect(found.steps[0]).toMatchObject({ outcome: 'denies', refusal: 'path' });
  expect(explain([], request({ path: '*' }), context()).steps[0]).toMatchObject({
    refusal: 'no-canonical-form',
  });
  expect(explain([], request({ path: '/a//b/../c' }), context()).path).toBe('/a/c');
});

test('dry runs that match are told and decide nothing', () => {
  const found = explain([policy('DENY', [{}], { dryRun: true })], request(), context());
  expect({ verdict: found.verdict, dryRun: found.dryRun.map(({ action }) => action) }).toEqual({
    verdict: 'allow',
    dryRun: ['DENY'],
  });
});

test('says where the entry stands in the text that the policy was read from', () => {
  const text = `apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: { name: orders, namespace: shop }
spec:
  rules:
    - to:
        - operation:
            methods: ["PUT"]
            paths:
              - /a
              - /orders/*
`;
  const reading = readPolicies(text, { source: 'orders.yaml' });
  const { near } = explain(reading.policies, request({ path: '/orders/42' }), context(), {
    locate: reading.locate,
  });
  expect(near[0]).toMatchObject({
    policy: { source: 'orders.yaml', line: 1 },
    place: { line: 6 },
    fields: [
      { name: 'methods', outcome: 'misses', place: { line: 8, column: 22 } },
      { name: 'paths', outcome: 'matches', entry: '/orders/*', place: { line: 11, column: 17 } },
    ],
  });
});
