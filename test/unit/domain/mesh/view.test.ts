import { describe, expect, test } from 'vitest';
import { composeSnapshot } from '../../../../src/domain/mesh/snapshot.ts';
import { indexMesh, sameView, viewOf } from '../../../../src/domain/mesh/view.ts';
import { policy } from '../policy/mesh.ts';
import { content, peerAuthentication, service, settings, workload } from './samples.ts';

const egress = [{ address: '127.0.0.1', port: 7001, service: 'shop/orders', servicePort: 80 }];
const orders = workload('orders');
const second = workload('orders-2', { serviceAccount: 'orders-v2' });
const bare = workload('legacy', { proxy: 'none' });
const web = workload('web', { egress });
const cron = workload('cron');

function viewsOf(
  workloads: Parameters<typeof content>[0],
  ...rest: [Parameters<typeof content>[1]?, Parameters<typeof content>[2]?]
) {
  return indexMesh(composeSnapshot(settings, [content(workloads, ...rest)]));
}

describe('how a service is called', () => {
  const mesh = viewsOf([orders, second, bare, web], [service('orders', orders, second, bare)]);
  const port = viewOf(mesh, web.id)?.services[0]?.ports[0];

  test('by mutual TLS where a proxy stands, in plaintext where none does', () => {
    expect(port?.endpoints.map(({ mutualTls }) => mutualTls)).toEqual([true, true, false]);
  });

  test('with exactly the identities of its workloads', () => {
    expect(port?.spiffeIds).toEqual([
      'spiffe://example.org/ns/shop/sa/orders',
      'spiffe://example.org/ns/shop/sa/orders-v2',
    ]);
  });

  test('in plaintext where the callee’s port has mutual TLS disabled', () => {
    const disabled = peerAuthentication('STRICT', {
      selector: { app: 'orders' },
      portLevel: new Map([[8080, 'DISABLE']]),
    });
    const view = viewOf(viewsOf([orders, web], [service('orders', orders)], [disabled]), web.id);
    expect(view?.services[0]?.ports[0]).toMatchObject({ endpoints: [{ mutualTls: false }], spiffeIds: [] });
  });

  test('also under the names of earlier trust domains', () => {
    const moved = { ...settings, trustDomainAliases: ['old.example'] };
    const index = indexMesh(composeSnapshot(moved, [content([orders, web], [service('orders', orders)])]));
    expect(viewOf(index, web.id)?.services[0]?.ports[0]?.spiffeIds).toContain(
      'spiffe://old.example/ns/shop/sa/orders',
    );
  });
});

describe('whom a change touches', () => {
  const base = () => content([orders, web, cron], [service('orders', orders)]);
  const before = composeSnapshot(settings, [base()]);
  const index = indexMesh(before);
  const touched = (changed: ReturnType<typeof content>) => {
    const next = indexMesh(composeSnapshot(settings, [changed], { previous: before }), index);
    return [...next.snapshot.workloads.values()]
      .filter(({ id }) => {
        const [old, now] = [viewOf(index, id), viewOf(next, id)];
        return !old || !now || !sameView(old, now);
      })
      .map(({ name }) => name);
  };

  test('nothing: nobody', () => {
    expect(touched(structuredClone(base()))).toEqual([]);
  });

  test('a workload: itself and its callers', () => {
    const moved = workload('orders', { addresses: ['127.0.0.9'] });
    expect(touched(content([moved, web, cron], [service('orders', moved)]))).toEqual(['orders', 'web']);
  });

  test('an order to be strict: those that it makes so', () => {
    const strict = composeSnapshot(settings, [base()], {
      previous: before,
      isStrict: ({ id }) => id === orders.id,
    });
    expect(strict.version).not.toBe(before.version);
    const next = indexMesh(strict, index);
    const changed = [orders, web, cron].filter(({ id }) => {
      const [old, now] = [viewOf(index, id), viewOf(next, id)];
      return !old || !now || !sameView(old, now);
    });
    expect(changed).toEqual([orders]);
    expect(viewOf(next, orders.id)?.inbound.map(({ mode }) => mode)).toEqual(['STRICT']);
  });

  test('an order to be strict: nobody without a proxy', () => {
    const { strict } = composeSnapshot(settings, [content([orders, bare])], { isStrict: () => true });
    expect([...strict]).toEqual([orders.id]);
  });

  test('a policy of one workload that changes nothing for callers: that one', () => {
    const strict = peerAuthentication('STRICT', { selector: { app: 'orders' } });
    expect(touched(content([orders, web, cron], [service('orders', orders)], [strict]))).toEqual(['orders']);
  });

  test('a policy by which callers must change too: them as well', () => {
    const disable = peerAuthentication('DISABLE', { selector: { app: 'orders' } });
    expect(touched(content([orders, web, cron], [service('orders', orders)], [disable]))).toEqual([
      'orders',
      'web',
    ]);
  });
});

describe('whom a change of keys touches', () => {
  const uri = 'https://id.example/keys';
  const rule = (namespace: string, selector: string, jwksUri: string) =>
    policy(
      `${namespace}/${selector}`,
      { selector: { matchLabels: { app: selector } }, jwtRules: [{ issuer: 'i', jwksUri }] },
      { kind: 'RequestAuthentication' },
    );
  const given = content(
    [orders, web, cron],
    [service('orders', orders)],
    [rule('shop', 'orders', uri), rule('shop', 'web', 'https://other.example/keys')],
  );
  const keys = (first: string) => [
    ['jwks:https://other.example/keys', 'other'] as const,
    [`jwks:${uri}`, first] as const,
  ];
  const before = composeSnapshot(settings, [given], { keySets: new Map(keys('1')) });
  const index = indexMesh(before);
  const touched = (fetched: ReadonlyMap<string, string>) => {
    const snapshot = composeSnapshot(settings, [structuredClone(given)], {
      previous: before,
      keySets: fetched,
    });
    const next = indexMesh(snapshot, index);
    const names = [orders, web, cron].flatMap(({ id, name }) => {
      const [old, now] = [viewOf(index, id), viewOf(next, id)];
      return old && now && sameView(old, now) ? [] : [name];
    });
    return { names, sameVersion: snapshot.version === before.version };
  };

  test('the workloads whose policies name them, and those see theirs alone', () => {
    expect(touched(new Map(keys('2')))).toEqual({ names: ['orders'], sameVersion: false });
    expect([...(viewOf(index, orders.id)?.keySets ?? [])]).toEqual([[`jwks:${uri}`, '1']]);
    expect(viewOf(index, cron.id)?.keySets.size).toBe(0);
  });

  test('nobody, where they are the same, in whatever order, or named by no policy', () => {
    const same = new Map([...keys('1').toReversed(), ['jwks:https://gone.example', 'x'] as const]);
    expect(touched(same)).toEqual({ names: [], sameVersion: true });
  });
});

test('only what is called explicitly is in view; who is captured sees every service', () => {
  const services = [service('orders', orders), service('cron', cron)];
  const captured = workload('captured', { proxy: 'capture' });
  const mesh = viewsOf([orders, cron, web, captured], services);
  expect(viewOf(mesh, web.id)?.services.map((each) => each.service.name)).toEqual(['orders']);
  expect(viewOf(mesh, captured.id)?.services.map((each) => each.service.name)).toEqual(['cron', 'orders']);
  expect(viewOf(mesh, 'test/shop/gone')).toBeUndefined();
});

describe('what an order to be strict makes of a port', () => {
  test.each([
    { policy: 'UNSET', mode: 'STRICT' },
    { policy: 'PERMISSIVE', mode: 'STRICT' },
    { policy: 'STRICT', mode: 'STRICT' },
    { policy: 'DISABLE', mode: 'DISABLE' },
  ] as const)('$policy: $mode', ({ policy: said, mode }) => {
    const captured = workload('orders', { proxy: 'capture' });
    const mesh = content([captured], [], [peerAuthentication(said)]);
    const view = viewOf(indexMesh(composeSnapshot(settings, [mesh], { isStrict: () => true })), captured.id);
    expect(view?.inbound.map((each) => [each.port.port, each.mode])).toEqual([
      [8080, mode],
      [0, mode],
    ]);
  });
});
