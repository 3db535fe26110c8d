import { describe, expect, it } from 'vitest';
import {
  judgePolicy,
  lintPolicies,
  lintWithoutWorld,
  type Policy,
  policyObject,
} from '../../../../../src/domain/policy/index.ts';
import { mesh, peer, policy, ports, workload } from '../mesh.ts';

const registry = mesh([
  workload('shop/orders'),
  workload('shop/cart', { ports: ports([8080, 'http'], [9000, 'tcp']) }),
]);
const proven = [
  'rule-never-matches',
  'covered-rule',
  'value-without-effect',
  'rule-without-effect',
  'policy-without-effect',
  'allow-shadowed-by-deny',
  'effects-not-compared',
];

function found(...policies: readonly Policy[]): readonly string[] {
  return lintPolicies(policies, registry)
    .filter(({ rule }) => proven.includes(rule))
    .map(({ rule, object, path }) => `${rule} ${object.name} ${path}`);
}

const orders = { selector: { matchLabels: { app: 'orders' } } };
const allow = (name: string, ...rules: readonly object[]) => policy(`shop/${name}`, { ...orders, rules });
const deny = (name: string, ...rules: readonly object[]) =>
  policy(`shop/${name}`, { ...orders, action: 'DENY', rules });
const from = (source: object) => ({ from: [{ source }] });
const to = (operation: object) => ({ to: [{ operation }] });
const web = from({ principals: ['example.org/ns/shop/sa/web'] });
const gets = to({ methods: ['GET'] });

describe('what has no effect, proven', () => {
  it.each<[string, readonly Policy[], readonly string[]]>([
    ['rules that all say something', [allow('a', web, gets), deny('d', to({ paths: ['/a'] }))], []],
    [
      'a rule that two others say together',
      [
        allow(
          'a',
          ...['GET', 'HEAD'].map((one) => to({ methods: [one], paths: ['/a/*'] })),
          to({ methods: ['HEAD', 'GET'], paths: ['/a/x'] }),
        ),
      ],
      ['covered-rule a spec.rules[2]'],
    ],
    [
      'a block of which both halves are there',
      [allow('a', from({ ipBlocks: ['10.0.0.0/9', '10.128.0.0/9'] }), from({ ipBlocks: ['10.0.0.0/8'] }))],
      ['covered-rule a spec.rules[1]'],
    ],
    [
      'a rule that contradicts itself across its fields',
      [allow('a', web, from({ principals: ['example.org/ns/ops/sa/cron'], namespaces: ['shop'] }))],
      ['rule-never-matches a spec.rules[1]'],
    ],
    [
      'an ALLOW of which a DENY takes a value',
      [allow('a', to({ paths: ['/a', '/admin/x'] })), deny('d', to({ paths: ['/admin/*'] }))],
      ['allow-shadowed-by-deny a spec.rules[0].to[0].operation.paths[1]'],
    ],
    [
      'an ALLOW of which a DENY takes an entry',
      [
        allow('a', { from: [{ source: { namespaces: ['bank'] } }, { source: { ipBlocks: ['10.6.0.1'] } }] }),
        deny('d', from({ ipBlocks: ['10.6.0.0/16'] })),
      ],
      ['allow-shadowed-by-deny a spec.rules[0].from[1]'],
    ],
    [
      'an ALLOW of which two DENYs take all together',
      [
        allow('a', web, to({ methods: ['PUT', 'DELETE'] })),
        deny('d', to({ methods: ['PUT'] })),
        deny('e', to({ methods: ['DELETE'] })),
      ],
      ['allow-shadowed-by-deny a spec.rules[1]'],
    ],
    [
      'an ALLOW of which a DENY takes a part that is written nowhere',
      [allow('a', to({ paths: ['/a/*'] })), deny('d', to({ paths: ['/a/admin'] }))],
      [],
    ],
    [
      'a value that another covers, one that cannot hold with the rest, one that excludes nothing',
      [
        allow('a', {
          from: [{ source: { principals: ['example.org/ns/shop/*'], notNamespaces: ['bank'] } }],
          to: [{ operation: { paths: ['/a/*', '/a/b'], notPaths: ['/c'] } }],
          when: [{ key: 'source.namespace', values: ['shop', 'bank'] }],
        }),
      ],
      [
        'value-without-effect a spec.rules[0].from[0].source.notNamespaces',
        'value-without-effect a spec.rules[0].to[0].operation.paths[1]',
        'value-without-effect a spec.rules[0].to[0].operation.notPaths',
        'value-without-effect a spec.rules[0].when[0].values[1]',
      ],
    ],
    [
      'an entry that another covers',
      [allow('a', { from: [{ source: { namespaces: ['shop'] } }, web.from[0]] })],
      ['value-without-effect a spec.rules[0].from[1]'],
    ],
    [
      'an entry that alone keeps connections of bytes out of an ALLOW',
      [
        policy('shop/a', {
          selector: { matchLabels: { app: 'cart' } },
          rules: [
            {
              from: [
                { source: { serviceAccounts: ['web'] } },
                { source: { serviceAccounts: ['web'], requestPrincipals: ['*'] } },
              ],
            },
          ],
        }),
      ],
      [],
    ],
    [
      'a list that narrows nothing',
      [allow('a', from({ principals: ['example.org/ns/shop/sa/web'], namespaces: ['shop', 'bank'] }))],
      [
        'value-without-effect a spec.rules[0].from[0].source.namespaces[1]',
        'value-without-effect a spec.rules[0].from[0].source.namespaces',
      ],
    ],
    [
      'an ALLOW that a DENY takes whole',
      [allow('a', web, to({ paths: ['/admin/x'] })), deny('d', to({ paths: ['/admin/*'] }))],
      ['allow-shadowed-by-deny a spec.rules[1]'],
    ],
    [
      'a DENY of what no ALLOW lets in',
      [allow('a', gets), deny('d', to({ methods: ['DELETE'] }))],
      ['policy-without-effect d spec'],
    ],
    [
      'of two alike the later one',
      [
        deny('a', to({ paths: ['/a', '/b*'] })),
        allow('x', web),
        deny('b', to({ paths: ['/a'] }), to({ paths: ['/b*'] })),
      ],
      ['covered-rule b spec.rules[0]', 'covered-rule b spec.rules[1]'],
    ],
    ['an ALLOW of everybody, alone', [allow('a', {})], []],
    ['an ALLOW of nobody, beside others', [policy('shop/nobody', {}), allow('a', web)], []],
    [
      'an ALLOW of plaintext under STRICT',
      [peer('shop/p', 'STRICT'), allow('a', web, from({ notPrincipals: ['*'] }))],
      ['rule-without-effect a spec.rules[1]'],
    ],
    [
      'what has an effect on one of several workloads alone',
      [policy('shop/all', { rules: [web, to({ ports: ['9000'] })] })],
      [],
    ],
    [
      'an AUDIT, and a dry run',
      [
        policy('shop/audit', { action: 'AUDIT', rules: [{}] }),
        policy('shop/dry', { action: 'DENY', rules: [{}] }, { annotations: { 'istio.io/dry-run': 'true' } }),
      ],
      [],
    ],
  ])('%s', (_, policies, expected) => {
    expect(found(...policies)).toEqual(expected);
  });

  it('names the DENY', () => {
    const policies = [allow('a', web, to({ paths: ['/admin/x'] })), deny('d', to({ paths: ['/admin/*'] }))];
    const [warning] = lintPolicies(policies, registry).filter(
      ({ rule }) => rule === 'allow-shadowed-by-deny',
    );
    expect(warning?.message).toBe(
      'all that this rule allows is denied by AuthorizationPolicy/shop/d, on every port of shop/orders',
    );
  });

  it.each<[string, object, string]>([
    [
      'two lists',
      {
        from: [
          {
            source: {
              principals: ['example.org/ns/ops/sa/cron'],
              namespaces: ['shop'],
              ipBlocks: ['10.0.0.1'],
            },
          },
        ],
        to: [{ operation: { methods: ['GET'] } }],
      },
      'from[0].source.principals (example.org/ns/ops/sa/cron) and from[0].source.namespaces (shop) exclude each other',
    ],
    [
      'three lists, of which no two do',
      {
        from: [{ source: { namespaces: ['shop', 'ops'], notNamespaces: ['shop'] } }],
        when: [{ key: 'source.namespace', notValues: ['ops'] }],
        to: [{ operation: { methods: ['GET'] } }],
      },
      'from[0].source.namespaces (shop, ops), from[0].source.notNamespaces (shop) and when[0].notValues of source.namespace (ops) exclude each other',
    ],
    [
      'a list and what it excludes',
      to({ paths: ['/a/{*}'], notPaths: ['/a/*'] }),
      'to[0].operation.paths (/a/{*}) and to[0].operation.notPaths (/a/*) exclude each other',
    ],
    [
      'what nobody can send',
      { ...from({ notIpBlocks: ['0.0.0.0/0', '::/0'] }), ...to({ methods: ['GET'] }) },
      'nothing that can arrive is from[0].source.notIpBlocks (0.0.0.0/0, ::/0)',
    ],
  ])('names what excludes each other, and no more: %s', (_, never, expected) => {
    const [warning] = lintPolicies([allow('a', web, never)], registry).filter(
      ({ path }) => path === 'spec.rules[1]',
    );
    expect(warning?.rule).toBe('rule-never-matches');
    expect(warning?.message).toBe(`nothing ever matches this rule: ${expected}`);
  });

  it('shows what a DENY takes by a request', () => {
    const policies = [
      allow('a', web, to({ paths: ['/a', '/admin/x'] })),
      deny('d', to({ paths: ['/admin/*'] })),
    ];
    const [warning] = lintPolicies(policies, registry).filter(
      ({ rule }) => rule === 'allow-shadowed-by-deny',
    );
    expect(warning?.witness).toMatchObject({
      places: [{ workload: registry.workloads.keys().next().value }],
      witness: { request: { http: { path: '/admin/x' } } },
    });
  });

  it.each<[boolean, readonly string[]]>([
    [true, ['allow-shadowed-by-deny', 'policy-without-effect']],
    [false, ['allow-shadowed-by-deny']],
  ])('where nobody knows who is there, whether all is known that holds: %s', (areAll, expected) => {
    const policies = [
      allow('a', to({ methods: ['GET'] }), to({ paths: ['/x'] })),
      deny('d', to({ paths: ['/x'] })),
      deny('e', to({ methods: ['DELETE'] })),
    ];
    const told = lintWithoutWorld(policies, undefined, { areAll }).map(({ rule }) => rule);
    expect(told.filter((rule) => proven.includes(rule))).toEqual(expected);
  });

  describe('where nobody knows what cluster.local stands for', () => {
    const own = 'cluster.local/ns/shop/sa/web';
    const inVain = (rules: readonly object[], trustDomain = 'cluster.local') =>
      lintWithoutWorld([allow('a', ...rules)], undefined, {
        areAll: true,
        mesh: { trustDomain, trustDomainAliases: [], rootNamespace: 'root' },
      })
        .filter(({ rule }) => proven.includes(rule))
        .map(({ rule, path }) => `${rule} ${path}`);

    const idle = 'value-without-effect spec.rules[0].from[0].source.trustDomains';
    it.each<[string, object, string, readonly string[]]>([
      ['a name', { principals: [own], trustDomains: ['example.org'] }, 'example.org', [idle]],
      ['a pattern', { principals: [own], trustDomains: ['*.org'] }, 'x.org', [idle]],
    ])('for what %s beside it says', (_, source, trustDomain, told) => {
      expect(inVain([from(source)], trustDomain)).toEqual(told);
      expect(inVain([from(source)], 'other.example')).toEqual(['rule-never-matches spec.rules[0]']);
      expect(inVain([from(source)])).toEqual([]);
    });

    it('what is so of each is told, and of too many nothing', () => {
      const never = from({ principals: [own], namespaces: ['bank'] });
      const names = (count: number) =>
        from({ principals: Array.from({ length: count }, (_, at) => `d${at}.example/ns/shop/sa/web`) });
      expect(inVain([never, names(8)])).toEqual(['rule-never-matches spec.rules[0]']);
      expect(inVain([never, names(9)])).toEqual(['effects-not-compared ']);
    });
  });

  it('what can hold together in too many ways is said of its policy, and of others all is told', () => {
    const word = (at: number) => at.toString(2).padStart(10, '0').replaceAll('0', 'a').replaceAll('1', 'b');
    const tangled = Array.from({ length: 120 }, (_, at) => ({
      to: [{ operation: { hosts: [`*${word(at)}`], paths: [`*${word(at * 7)}`] } }],
      when: [
        { key: `request.headers[x-${at}]`, values: [`*${word(at)}`] },
        { key: `request.headers[y-${at % 7}]`, notValues: [`${word(at)}*`] },
      ],
    }));
    const policies = [
      deny('d', to({ methods: ['GET', 'GET'] })),
      allow('tangled', ...tangled),
      deny('e', to({ methods: ['PUT', 'PUT'] })),
    ];
    const told = lintPolicies(policies, registry, undefined, { comparisons: 400_000 }).filter(({ rule }) =>
      proven.includes(rule),
    );
    expect(told.map(({ rule, object }) => `${rule} ${object.name}`)).toEqual([
      'value-without-effect d',
      'effects-not-compared d',
      'effects-not-compared tangled',
      'value-without-effect e',
      'effects-not-compared e',
    ]);
    for (const { rule, message } of told)
      if (rule === 'effects-not-compared')
        expect(message).toMatch(
          /^what AuthorizationPolicy\/shop\/tangled says can hold together in too many ways/,
        );
  });

  it('an author who applies is told, and in time: what is too much is not compared, and that is said', () => {
    const few = [allow('a', gets), deny('d', to({ methods: ['DELETE'] }))];
    const judged = (policies: readonly Policy[]) => {
      const [, subject] = policies;
      const snapshot = { ...mesh([workload('shop/orders')], policies), version: 'v' };
      return judgePolicy(subject && policyObject(subject), 'T', {
        settings: snapshot.settings,
        snapshot,
      }).warnings.map(({ rule }) => rule);
    };
    expect(judged(few)).toContain('policy-without-effect');
    const more = Array.from({ length: 3000 }, (_, at) => allow(`x${at}`, to({ paths: [`/x/${at}`] })));
    expect(judged([...few, ...more])).toContain('effects-not-compared');
  });
});
