import { describe, expect, it } from 'vitest';
import {
  accessGraph,
  graphAsDot,
  graphAsSvg,
  type Policy,
  whatReaches,
  whoReaches,
} from '../../../../src/domain/policy/index.ts';
import { believing, mesh, peer, policy, ports, service, workload } from './mesh.ts';

const orders = workload('shop/orders');
const database = workload('shop/database', { ports: ports([5432, 'tcp']) });
const legacy = workload('shop/legacy', { proxy: 'none' });

function world(policies: readonly Policy[]) {
  return mesh([orders, database, legacy], policies, [], {
    trustDomainAliases: ['old.example'],
    authorizationProviders: [
      {
        name: 'authz',
        kind: 'http',
        service: 'auth/authz',
        port: 80,
        timeout: 1000,
        failOpen: false,
        pathPrefix: '/',
        includeHeaders: [],
        bodyBytes: 0,
      },
    ],
  });
}

const allow = (...rules: readonly object[]) => policy('shop/a', { rules });
const from = (source: object) => ({ from: [{ source }] });
const to = (operation: object) => ({ to: [{ operation }] });
const when = (key: string, lists: object) => ({ when: [{ key, ...lists }] });

/** Of each way in the caller, the methods, the paths, and what else. */
function told(policies: readonly Policy[], callee = 'shop/orders') {
  return whoReaches(world([...policies, believing('shop/tokens')]), callee).flatMap(({ access }) =>
    access.map(({ callers, methods, paths, conditions }) => [callers, methods, paths, ...conditions]),
  );
}

const everybody = 'anyone, plaintext included';

describe('who may reach a port, in words', () => {
  it.each([
    ['without policies', [], [[everybody, 'any', 'any']]],
    ['by mutual TLS alone', [peer('shop/p', 'STRICT')], [['any identity', 'any', 'any']]],
    ['without mutual TLS', [peer('shop/p', 'DISABLE')], [['plaintext', 'any', 'any']]],
    ['nobody', [policy('shop/nobody', {})], []],
    ['any that is known', [allow(from({ principals: ['*'] }))], [['any identity', 'any', 'any']]],
    [
      'a namespace',
      [allow(from({ namespaces: ['web', 'ops*'] }))],
      [['any account of namespace web or ops*', 'any', 'any']],
    ],
    [
      'an account of the own namespace',
      [allow(from({ serviceAccounts: ['web'] }))],
      [['account shop/web', 'any', 'any']],
    ],
    [
      'a trust domain, but not a part of it',
      [allow(from({ trustDomains: ['partner.example'], notNamespaces: ['guests'] }))],
      [
        [
          'any identity of trust domain partner.example, but not any account of namespace guests',
          'any',
          'any',
        ],
      ],
    ],
    [
      'all but one, plaintext among them',
      [allow(from({ notPrincipals: ['example.org/ns/x/sa/y'] }))],
      [[`${everybody}, but not example.org/ns/x/sa/y`, 'any', 'any']],
    ],
    [
      'methods and paths, less what is denied',
      [
        allow(to({ methods: ['GET', 'HEAD'], paths: ['/a/*'] })),
        policy('shop/d', { action: 'DENY', rules: [to({ paths: ['/a/b'] })] }),
      ],
      [[everybody, 'GET or HEAD', '/a/* but not /a/b']],
    ],
    ['a host', [allow(to({ hosts: ['orders.shop'] }))], [[everybody, 'any', 'any', 'host orders.shop']]],
    [
      'headers',
      [allow(when('request.headers[x-key]', { values: ['*'], notValues: ['a b'] }))],
      [[everybody, 'any', 'any', 'header x-key is there and header x-key is not "a b"']],
    ],
    [
      'claims',
      [allow(when('request.auth.claims[realm][roles]', { values: ['buyer'] }))],
      [[everybody, 'any', 'any', 'claim realm.roles is buyer']],
    ],
    [
      'a token',
      [allow(from({ requestPrincipals: ['https://idp.example/*'] }))],
      [[everybody, 'any', 'any', 'a token of https://idp.example/*']],
    ],
    [
      'addresses',
      [allow(from({ ipBlocks: ['10.0.0.0/8'], notRemoteIpBlocks: ['10.1.0.0/16'] }))],
      [[everybody, 'any', 'any', 'from 10.0.0.0/8', 'for a client at any address but not 10.1.0.0/16']],
    ],
    [
      'an authorizer outside',
      [policy('shop/c', { action: 'CUSTOM', provider: { name: 'authz' }, rules: [{}] })],
      [[everybody, 'any', 'any', 'if provider authz agrees']],
    ],
  ] as const)('%s', (_, policies, expected) => {
    const sorted = (rows: readonly (readonly string[])[]) =>
      rows.map((row) => [...row.slice(0, 3), ...row.slice(3).toSorted()]);
    expect(sorted(told(policies))).toEqual(sorted(expected));
  });

  it('knows of no token where nobody says whose are taken', () => {
    const policies = [
      allow(from({ requestPrincipals: ['*'] }), when('request.auth.claims[a]', { notValues: ['x'] })),
    ];
    const [port] = whoReaches(world(policies), 'shop/orders');
    expect(port?.access.map(({ callers, conditions }) => [callers, ...conditions])).toEqual([[everybody]]);
  });

  it('says nothing of methods and paths where a port is not HTTP', () => {
    expect(told([allow(from({ namespaces: ['web'] }))], 'shop/database')).toEqual([
      ['any account of namespace web', '', ''],
    ]);
  });

  it('says so where no proxy stands, and where it is too much to say', () => {
    const policies = [allow(to({ paths: ['/a', '/b/*'] }), from({ namespaces: ['web'] }))];
    expect(whoReaches(world(policies), 'shop/legacy')).toMatchObject([{ enforced: false, access: [] }]);
    const [port] = whoReaches(world(policies), 'shop/orders', { steps: 1, stepsOfGroup: 1 });
    expect(port).toMatchObject({ complete: false, undecided: { policies: ['AuthorizationPolicy/shop/a'] } });
  });
});

describe('what a caller may reach', () => {
  const policies = [
    allow(from({ principals: ['example.org/ns/shop/sa/web'] }), {
      ...from({ namespaces: ['ops'] }),
      ...to({ methods: ['GET'] }),
    }),
  ];

  it.each([
    ['shop/web', ['test/shop/orders:8080 any', 'test/shop/database:5432 ', 'test/shop/legacy:8080 open']],
    [
      'spiffe://old.example/ns/shop/sa/web',
      ['test/shop/orders:8080 any', 'test/shop/database:5432 ', 'test/shop/legacy:8080 open'],
    ],
    ['ops/any', ['test/shop/orders:8080 GET', 'test/shop/legacy:8080 open']],
    ['plaintext', ['test/shop/legacy:8080 open']],
  ])('%s', (caller, expected) => {
    const { ports: reached } = whatReaches(world(policies), caller);
    const rows = reached.flatMap(({ workloads, port, enforced, access }) =>
      enforced
        ? access.map(({ methods }) => `${workloads[0]}:${port} ${methods}`)
        : [`${workloads[0]}:${port} open`],
    );
    expect(rows.toSorted()).toEqual([...expected].toSorted());
  });
});

describe('what a caller reaches as its calls come', () => {
  const stock = workload('shop/stock');
  const hidden = mesh(
    [workload('shop/web'), workload('shop/bare', { proxy: 'none' }), orders, stock],
    [
      peer('shop/off', 'DISABLE', 'orders'),
      policy('shop/get', { rules: [to({ methods: ['GET'] })] }),
      policy('shop/web', { rules: [from({ serviceAccounts: ['web'] })] }),
    ],
    [service('shop/orders', orders), service('shop/stock', stock)],
  );
  const rows = (caller: string) =>
    whatReaches(hidden, caller).ports.flatMap(({ workloads, access }) =>
      workloads.flatMap((id) =>
        access.map(({ methods, conditions }) => [id, methods, ...conditions].join(' ')),
      ),
    );

  it('in plaintext where mutual TLS is off, without its name', () => {
    expect(rows('shop/web')).toContain('test/shop/orders GET in plaintext');
    expect(rows('shop/web')).toContain('test/shop/stock any');
    expect(rows('shop/web')).not.toContain('test/shop/stock GET in plaintext');
  });

  it('in plaintext too where it has no proxy, beside what its certificate would open', () => {
    expect(rows('shop/bare')).toContain('test/shop/stock GET');
    expect(rows('shop/bare')).toContain('test/shop/stock GET in plaintext');
  });
});

describe('of many callers', () => {
  const rules = Array.from({ length: 600 }, (_, index) => ({
    ...from({ serviceAccounts: [`caller${index}`] }),
    ...to({ paths: [`/${index}/*`] }),
  }));
  const many = world(
    [1, 2].map((part) => policy(`shop/p${part}`, { rules: rules.slice(300 * (part - 1), 300 * part) })),
  );

  it('each is told all that it reaches, also where not all can be told of all', () => {
    const [all] = whoReaches(many, 'shop/orders');
    expect(all?.complete).toBe(false);
    const { ports: reached } = whatReaches(many, 'shop/caller599');
    expect(reached.find(({ port }) => port === 8080)).toMatchObject({
      complete: true,
      access: [
        {
          paths: '/599/*',
          example: { request: { sourcePrincipal: 'spiffe://example.org/ns/shop/sa/caller599' } },
        },
      ],
    });
  });
});

describe('the graph', () => {
  const rule = { ...from({ namespaces: ['web'] }), ...when('request.headers[x]', { values: ['a"<\\>'] }) };
  const graph = accessGraph(whoReaches(world([allow(rule)]), 'shop/orders'));

  it('is text for Graphviz in which what an author wrote ends where it ends', () => {
    expect(graphAsDot(graph)).toContain(
      '  "any account of namespace web" -> "test/shop/orders:8080" [label="any request, header x is a\\"<\\\\>"];\n',
    );
  });

  it('is a picture in which what an author wrote is text', () => {
    const svg = graphAsSvg(graph);
    expect(svg).toContain('any account of namespace web</text>');
    expect(svg).toContain('>any request, header x is a&quot;&lt;\\&gt;</text>');
    // Two boxes, and the ground of one label.
    expect(svg.match(/<rect /g)).toHaveLength(3);
  });
});
