import { describe, expect, test } from 'vitest';
import { createEnvoyRenderer } from '../../../../src/adapters/envoy/index.ts';
import type { ServiceView } from '../../../../src/domain/mesh/index.ts';
import { composeSnapshot } from '../../../../src/domain/mesh/snapshot.ts';
import { indexMesh, viewOf } from '../../../../src/domain/mesh/view.ts';
import { Cluster } from '../../../../src/gen/envoy/config/cluster/v3/cluster.ts';
import { Listener } from '../../../../src/gen/envoy/config/listener/v3/listener.ts';
import { RouteConfiguration } from '../../../../src/gen/envoy/config/route/v3/route.ts';
import { content, service, settings, workload } from '../../domain/mesh/samples.ts';

const orders = workload('orders', { proxy: 'capture', addresses: ['10.0.0.1', 'fd00::1'] });
const web = workload('web', { proxy: 'capture', addresses: ['10.0.0.2'] });
const bare = workload('bare', { proxy: 'none', addresses: ['10.0.0.3'] });

type Service = ServiceView['service'];
const addressed = (name: string, ...addresses: readonly string[]): Service => ({
  ...service(name, orders),
  addresses,
});
const bytes = ({ ports, ...rest }: Service): Service => ({
  ...rest,
  ports: ports.map((port) => ({ ...port, protocol: 'tcp' })),
});

function render(caller: typeof web, ...services: readonly Service[]) {
  const index = indexMesh(composeSnapshot(settings, [content([orders, web, bare], services)]));
  const view = viewOf(index, caller.id);
  if (!view) throw new Error('no view');
  const resources = createEnvoyRenderer().render(view);
  const decoded = <T>(type: string, { decode }: { readonly decode: (input: Uint8Array) => T }) =>
    new Map(
      [...(resources.get(`type.googleapis.com/envoy.config.${type}`) ?? [])].map(([name, { value }]) => [
        name,
        decode(value),
      ]),
    );
  return {
    listeners: decoded('listener.v3.Listener', Listener),
    clusters: decoded('cluster.v3.Cluster', Cluster),
    routes: decoded('route.v3.RouteConfiguration', RouteConfiguration),
  };
}

/** `<name> <address>...:<port>`, in their order. */
function chains(listener: Listener | undefined): string[] {
  return (listener?.filterChains ?? []).map(({ name, filterChainMatch: match }) => {
    const addresses =
      match?.prefixRanges.map(({ addressPrefix, prefixLen }) => `${addressPrefix}/${prefixLen}`) ?? [];
    return `${name} ${addresses.join()}:${match?.destinationPort}`;
  });
}

const domains = (routes: RouteConfiguration | undefined) =>
  routes?.virtualHosts.map(({ name, domains: own }) => [name, own]);

describe('what applications call under capture', () => {
  test('is told by the service’s addresses', () => {
    const { listeners } = render(web, addressed('orders', '10.96.0.1', 'fd00:96::1'));
    expect(chains(listeners.get('capture/outbound'))).toEqual([
      'refused :15001',
      'outbound/shop/orders/80 10.96.0.1/32,fd00:96::1/128:80',
    ]);
    expect(listeners.get('capture/outbound')?.defaultFilterChain?.name).toBe('passthrough');
  });

  test('has each address and port once, since Envoy refuses two: the first service has it', () => {
    const { listeners } = render(web, addressed('b', '10.96.0.1', '10.96.0.2'), addressed('a', '10.96.0.1'));
    expect(chains(listeners.get('capture/outbound')).slice(1)).toEqual([
      'outbound/shop/a/80 10.96.0.1/32:80',
      'outbound/shop/b/80 10.96.0.2/32:80',
    ]);
  });

  test('goes to the endpoint itself where a service of bytes has no address, by any of its addresses', () => {
    const { listeners, clusters } = render(web, bytes(service('db', orders, bare)));
    expect(chains(listeners.get('capture/outbound')).slice(1)).toEqual([
      'direct/shop/db/80/8080 10.0.0.1/32,fd00::1/128:8080',
    ]);
    expect(clusters.get('direct/shop/db/80')?.transportSocket?.name).toBe('envoy.transport_sockets.tls');
  });

  test('goes by host where services of HTTP without an address share a port, each host once', () => {
    const { listeners, routes } = render(web, service('a', orders), {
      ...service('b', orders),
      hosts: ['a.shop.svc.cluster.local', 'b.shop'],
    });
    expect(chains(listeners.get('capture/outbound')).slice(1)).toEqual([
      'outbound/80 :80',
      'outbound/8080 :8080',
    ]);
    expect(domains(routes.get('outbound/8080'))).toEqual([
      ['shop/a/80', ['a.shop.svc.cluster.local', 'a.shop.svc.cluster.local:8080']],
      ['shop/a/80/direct', ['10.0.0.1', '10.0.0.1:8080', '[fd00::1]', '[fd00::1]:8080']],
      ['shop/b/80', ['b.shop', 'b.shop:8080']],
      ['passthrough', ['*']],
    ]);
  });

  test('is given once to all callers of a kind', () => {
    const index = indexMesh(
      composeSnapshot(settings, [
        content([orders, web, workload('cron', { proxy: 'capture' })], [addressed('orders', '10.96.0.1')]),
      ]),
    );
    const renderer = createEnvoyRenderer();
    const outbound = ['web', 'cron', 'orders'].map((name) => {
      const view = viewOf(index, `test/shop/${name}`);
      return (
        view &&
        renderer
          .render(view)
          .get('type.googleapis.com/envoy.config.listener.v3.Listener')
          ?.get('capture/outbound')
      );
    });
    expect(outbound[0]).toBeDefined();
    expect(outbound[1]).toBe(outbound[0]);
    // It alone has IPv6.
    expect(outbound[2]?.version).not.toBe(outbound[0]?.version);
  });
});

test.each([
  [['10.0.0.1'], ['127.0.0.1'], ['0.0.0.0']],
  [['fd00::1'], ['::1'], ['::']],
  [
    ['fd00::1', '10.0.0.1'],
    ['127.0.0.1', '::1'],
    ['0.0.0.0', '::'],
  ],
])('a workload on %j is listened for on its families alone', (addresses, outbound, inbound) => {
  const index = indexMesh(
    composeSnapshot(settings, [content([workload('a', { proxy: 'capture', addresses })])]),
  );
  const view = viewOf(index, 'test/shop/a');
  const listeners =
    view && createEnvoyRenderer().render(view).get('type.googleapis.com/envoy.config.listener.v3.Listener');
  const bound = (name: string) => {
    const { address, additionalAddresses } = Listener.decode(listeners?.get(name)?.value ?? new Uint8Array());
    return [address, ...additionalAddresses.map((each) => each.address)].map((each) =>
      each?.address?.$case === 'socketAddress' ? each.address.value.address : undefined,
    );
  };
  expect(bound('capture/outbound')).toEqual(outbound);
  expect(bound('capture/inbound')).toEqual(inbound);
});

test('what comes from outside is refused at the capture port, and bound so that it is not captured again', () => {
  const { listeners, clusters } = render(orders, addressed('orders', '10.96.0.1'));
  expect(chains(listeners.get('capture/inbound'))).toEqual([
    'refused :15006',
    'inbound/8080/mutual-tls :8080',
    'inbound/8080/tls-passthrough :8080',
    'inbound/8080/plaintext :8080',
    'inbound/other/mutual-tls :undefined',
    'inbound/other/tls-passthrough :undefined',
    'inbound/other/plaintext :undefined',
  ]);
  expect([...listeners.keys()]).toEqual(['capture/inbound', 'capture/outbound']);
  const source = (name: string) => clusters.get(name)?.upstreamBindConfig;
  expect(source('inbound/8080')?.sourceAddress?.address).toBe('127.0.0.6');
  expect(source('inbound/other')?.sourceAddress?.address).toBe('127.0.0.6');
  expect(source('inbound/other')?.extraSourceAddresses[0]?.address?.address).toBe('::1');
  expect(source('outbound/shop/orders/80')).toBeUndefined();
});
