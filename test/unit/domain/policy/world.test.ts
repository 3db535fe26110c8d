import { describe, expect, it } from 'vitest';
import {
  formatWorld,
  type Policy,
  policyHash,
  policyObject,
  readPolicies,
  readPolicy,
  readWorld,
  withoutStored,
  withPolicies,
  withStored,
} from '../../../../src/domain/policy/index.ts';
import { Coverage, policySet, Random } from '../../../oracle/generate/index.ts';
import { mesh, peer, policy, service, workload } from './mesh.ts';

const tokens = policy(
  'shop/tokens',
  {
    selector: { matchLabels: { app: 'orders' } },
    jwtRules: [
      {
        issuer: 'https://issuer.example',
        audiences: ['orders'],
        jwksUri: 'https://issuer.example/keys',
        fromHeaders: [{ name: 'x-token' }, { name: 'x-other', prefix: 'Token ' }],
        fromParams: ['token'],
        outputClaimToHeaders: [{ header: 'x-sub', claim: 'sub' }],
        forwardOriginalToken: true,
        timeout: '1500ms',
      },
      { issuer: 'plain' },
    ],
  },
  { kind: 'RequestAuthentication' },
);
const samples: readonly Policy[] = [
  tokens,
  policy('shop/none', {}, { kind: 'RequestAuthentication' }),
  peer('root/all', 'STRICT'),
  peer('shop/unset', undefined),
  peer('shop/orders', 'PERMISSIVE', 'orders', { portLevelMtls: { 8080: { mode: 'DISABLE' } } }),
  policy('shop/nobody', {}),
  policy('shop/everybody', { rules: [{}] }, { created: '2026-01-02T03:04:05Z' }),
  policy('shop/dry', { action: 'DENY', rules: [{}] }, { annotations: { 'istio.io/dry-run': 'true' } }),
  policy('shop/asked', { action: 'CUSTOM', provider: { name: 'authz' }, rules: [{}] }),
  policy('shop/target', { targetRefs: [{ kind: 'Service', name: 'orders' }], rules: [{}] }),
];

function generated(seed: number): readonly Policy[] {
  const making = { random: new Random(seed), ports: ['8080', '9090'], coverage: new Coverage() };
  const all = Array.from({ length: 200 }, () => policySet(making, 'http').policies).flat();
  // Some have fields together that no author may write together.
  return all.filter((each) => readPolicy(policyObject(each), { source: 'T' }).problems.length === 0);
}

describe('a policy that is written', () => {
  it('says the same when it is read', () => {
    const all = [...samples, ...generated(7)];
    expect(all.length).toBeGreaterThan(250);
    for (const each of all) {
      const read = readPolicy(policyObject(each), { source: 'T' });
      expect(read.problems).toEqual([]);
      expect(read.policy && policyHash(read.policy)).toBe(policyHash(each));
      expect(read.policy?.meta.created).toBe(each.meta.created);
    }
  });
});

describe('a world that is written', () => {
  const orders = workload('shop/orders');
  const world = {
    ...mesh([orders, workload('shop/web', { proxy: 'none', ports: [] })], samples, [
      service('shop/orders', orders),
    ]),
    strict: new Set([orders.id]),
  };

  it('is the same when it is read, as far as anything hangs on it', () => {
    const read = readWorld(formatWorld(world), 'world.json');
    expect(formatWorld(read)).toBe(formatWorld(world));
    expect(read.policies.map((each) => policyHash(each))).toEqual(world.policies.map(policyHash));
    expect(read.workloads.get(orders.id)?.labels).toEqual(orders.labels);
    expect(read.services.get('shop/orders')?.ports[0]?.endpoints[0]?.workload).toBe(orders.id);
    expect(read.strict).toEqual(new Set([orders.id]));
    expect(read.settings.trustDomain).toBe('example.org');
  });

  it.each([
    ['no JSON', '{', 'world.json: is no JSON; citadel policy world writes such a file'],
    ['another kind', '{"kind":"List"}', 'world.json: apiVersion: '],
    [
      'a broken policy',
      formatWorld(mesh([], [policy('shop/a', {})])).replace('"action":"ALLOW"', '"action":"ALOW"'),
      /^world\.json: .*spec\.action/,
    ],
    [
      'a port that is none',
      formatWorld(mesh([orders])).replace('8080', '80800'),
      'world.json: workloads.0.ports.0.port: ',
    ],
  ])('is refused with %s', (_, text, message) => {
    expect(() => readWorld(text, 'world.json')).toThrow(message);
  });

  it('takes a policy in the place of the one of its name', () => {
    const denied = policy('shop/everybody', { action: 'DENY', rules: [{}] });
    const added = policy('shop/new', {});
    const { policies } = withPolicies(world, [denied, added]);
    expect(policies).toHaveLength(samples.length + 1);
    expect(policies).toContain(denied);
    expect(policies.filter(({ meta }) => meta.name === 'everybody')).toEqual([denied]);
  });
});

describe('a world without what the server keeps', () => {
  const from = (source: string) => {
    const [read] = readPolicies(
      'apiVersion: security.istio.io/v1\nkind: AuthorizationPolicy\nmetadata: {namespace: shop, name: a}\nspec: {}\n',
      { source },
    ).policies;
    return read ?? expect.fail('no policy');
  };
  const key = { kind: 'AuthorizationPolicy', namespace: 'shop', name: 'a' };

  it.each([
    ['store/AuthorizationPolicy/shop/a', 0],
    ['store/AuthorizationPolicy/shop/a:1', 0],
    ['shop.yaml', 1],
    ['store/AuthorizationPolicy/shop/ab', 1],
  ])('of %s leaves %i', (source, left) => {
    const world = mesh([], [from(source)]);
    expect(withoutStored(world, [key]).policies).toHaveLength(left);
    expect(withoutStored(world, []).policies).toHaveLength(1);
  });
});

describe('the world with what was kept at a revision', () => {
  const spec = 'spec: { rules: [{}] }';
  const text = (name: string) =>
    `apiVersion: security.istio.io/v1\nkind: AuthorizationPolicy\nmetadata: { name: ${name}, namespace: shop }\n${spec}\n`;
  const stored = (name: string) => ({
    kind: 'AuthorizationPolicy',
    namespace: 'shop',
    name,
    text: text(name),
    hash: name,
    revision: 2,
  });
  const held = (name: string, source: string) => readPolicies(text(name), { source }).policies;
  const world = mesh(
    [],
    [
      ...held('a', 'store/AuthorizationPolicy/shop/a'),
      ...held('b', 'store/AuthorizationPolicy/shop/b'),
      ...held('file', 'a.yaml'),
    ],
  );
  const only = { kind: 'AuthorizationPolicy', namespace: 'shop', name: 'a' };
  const sources = (found: Pick<typeof world, 'policies'>) =>
    found.policies.map(({ meta }) => `${meta.name} ${meta.origin.source.split('/', 1)[0]}`).toSorted();

  it.each([
    ['all of it', [stored('b'), stored('c')], undefined, ['b store', 'c store', 'file a.yaml']],
    ['nothing', [], undefined, ['file a.yaml']],
    ['one alone', [stored('b'), stored('c')], only, ['b store', 'file a.yaml']],
    ['one alone, that was there', [stored('a')], only, ['a store', 'b store', 'file a.yaml']],
    ['what others have counts before it', [stored('file')], undefined, ['file a.yaml']],
  ])('%s', (_, kept, of, expected) => {
    expect(sources(withStored(world, kept, of))).toEqual(expected);
  });
});
