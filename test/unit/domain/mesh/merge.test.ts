import { describe, expect, test } from 'vitest';
import type { Service, ServicePort } from '../../../../src/domain/mesh/index.ts';
import { mergeContents } from '../../../../src/domain/mesh/merge.ts';
import { content, peerAuthentication, service, workload } from './samples.ts';

const port = (over: Partial<ServicePort> = {}): ServicePort => ({
  port: 80,
  name: 'http',
  protocol: 'http',
  endpoints: [],
  ...over,
});
const at = (address: string, of: string, number = 8080) => ({ address, port: number, workload: of });
const orders = (ports: readonly ServicePort[], over: Partial<Service> = {}): Service => ({
  ...service('orders'),
  ports,
  ...over,
});
const own = orders([port({ endpoints: [at('10.0.0.2', 'a/shop/orders')] })], { addresses: ['10.96.0.1'] });
const merge = (...services: readonly Service[]) => {
  const merged = mergeContents(services.map((each) => content([], [each])));
  return { ...merged, service: merged.services.get('shop/orders') };
};

describe('a service of several clusters', () => {
  test('has the endpoints of all, in one order, and is declared by the first', () => {
    const other = orders([port({ name: 'web', endpoints: [at('10.0.0.1', 'b/shop/orders')] })], {
      addresses: ['10.97.0.1'],
      hosts: ['orders.b'],
    });
    const { service: merged, shadowed } = merge(own, other);
    expect(merged).toEqual({
      ...own,
      ports: [port({ endpoints: [at('10.0.0.1', 'b/shop/orders'), at('10.0.0.2', 'a/shop/orders')] })],
    });
    expect(shadowed).toEqual([]);
    const third = orders([port({ endpoints: [at('10.0.0.3', 'c/shop/orders')] })]);
    expect(merge(own, other, third).service?.ports[0]?.endpoints).toHaveLength(3);
  });

  test('has ports that only a later one declares', () => {
    const metrics = port({ port: 9090, protocol: 'tcp', endpoints: [at('10.0.0.1', 'b/shop/orders')] });
    expect(merge(own, orders([port(), metrics])).service?.ports).toEqual([...own.ports, metrics]);
  });

  test.each<[string, ServicePort, string]>([
    [
      'whose port carries another protocol',
      port({ protocol: 'tcp', endpoints: [at('10.0.0.1', 'b/shop/orders')] }),
      'port 80 is tcp, and not http',
    ],
    [
      'whose workload has the address of another one',
      port({ endpoints: [at('10.0.0.2', 'b/shop/orders')] }),
      'its endpoint 10.0.0.2 port 8080 is another workload’s address',
    ],
  ])('is not called at one %s, which is told', (_what, theirs, what) => {
    const { service: merged, shadowed } = merge(own, orders([theirs]));
    expect(merged?.ports).toEqual(own.ports);
    expect(shadowed).toEqual([{ object: 'Service/shop/orders', from: 1, by: 0, what }]);
  });

  test('stays the same object for as long as nobody says anything else', () => {
    const other = orders([port({ endpoints: [at('10.0.0.1', 'b/shop/orders')] })]);
    expect(merge(own, other).service).toBe(merge(own, other).service);
    expect(merge(own, { ...other }).service).not.toBe(merge(own, other).service);
    expect(merge(own).service).toBe(own);
  });
});

describe('a policy of a name that an earlier source has', () => {
  const strict = peerAuthentication('STRICT');
  const from = (source: string, mode: 'STRICT' | 'DISABLE', line?: number) =>
    peerAuthentication(mode, {
      meta: { ...strict.meta, generation: 7, origin: line === undefined ? { source } : { source, line } },
    });

  test('does not count, whatever it says, and is told where it says something else', () => {
    const [a, b] = [from('a.yaml', 'STRICT', 3), from('kubernetes/b', 'DISABLE')];
    const merged = mergeContents([content([], [], [a]), content([]), content([], [], [b])]);
    expect([...merged.policies]).toEqual([['PeerAuthentication/shop/default', a]]);
    const policy = { origin: b.meta.origin, counting: a.meta.origin };
    expect(merged.shadowed).toEqual([{ object: 'PeerAuthentication/shop/default', from: 2, by: 0, policy }]);
    // Not even where it is the stricter one: an order of sources can be known, one of policies cannot.
    expect([...mergeContents([content([], [], [b]), content([], [], [a])]).policies.values()]).toEqual([b]);
  });

  test('is nobody’s worry where both say the same', () => {
    const same = [from('a.yaml', 'STRICT'), from('kubernetes/b', 'STRICT')];
    expect(mergeContents(same.map((each) => content([], [], [each]))).shadowed).toEqual([]);
  });
});

test('a workload of an id that an earlier source has does not count, and is told', () => {
  const impostor = workload('web', { serviceAccount: 'impostor' });
  const merged = mergeContents([content([workload('web')]), content([impostor])]);
  expect(merged.workloads.get('test/shop/web')?.serviceAccount).toBe('web');
  expect(merged.shadowed).toMatchObject([{ object: 'Workload/test/shop/web', from: 1, by: 0 }]);
});
