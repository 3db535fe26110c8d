import { describe, expect, test } from 'vitest';
import { createEnvoyRenderer } from '../../../../src/adapters/envoy/index.ts';
import { composeSnapshot } from '../../../../src/domain/mesh/snapshot.ts';
import { indexMesh, type MeshIndex, viewOf } from '../../../../src/domain/mesh/view.ts';
import type { Policy } from '../../../../src/domain/policy/index.ts';
import type { DiscoveryResources } from '../../../../src/domain/ports/index.ts';
import { content, service, settings, workload } from '../../domain/mesh/samples.ts';
import { policy } from '../../domain/policy/mesh.ts';

const call = (name: string, port: number) => ({
  address: '127.0.0.1',
  port,
  service: `shop/${name}`,
  servicePort: 80,
});
const orders = workload('orders', { addresses: ['10.0.0.1'] });
const stock = workload('stock', { addresses: ['10.0.0.2'] });
const db = workload('db', {
  addresses: ['10.0.0.3'],
  ports: [{ port: 5432, protocol: 'tcp', application: { address: '127.0.0.1', port: 5432 } }],
});
const web = workload('web', {
  addresses: ['10.0.0.4'],
  egress: [call('orders', 7001), call('stock', 7002)],
});
const types = {
  clusters: 'cluster.v3.Cluster',
  endpoints: 'endpoint.v3.ClusterLoadAssignment',
  listeners: 'listener.v3.Listener',
  filters: 'core.v3.TypedExtensionConfig',
} as const;

/** A mesh that changes, and what one renderer makes of it. */
function startMesh(proxy: 'explicit' | 'capture' = 'explicit') {
  const renderer = createEnvoyRenderer();
  let index: MeshIndex | undefined;
  return {
    change(policies: readonly Policy[], endpoints = [orders]): void {
      const mesh = [orders, stock, db, web].map((each) => (each.proxy === proxy ? each : { ...each, proxy }));
      const services = [service('orders', ...endpoints), service('stock', stock), service('db', db)];
      index = indexMesh(
        composeSnapshot(settings, [content(mesh, services, policies)], { previous: index?.snapshot }),
        index,
      );
    },
    of(name: string): DiscoveryResources {
      const view = index && viewOf(index, `test/shop/${name}`);
      if (!view) throw new Error('no view');
      return renderer.render(view);
    },
  };
}

function ofType(resources: DiscoveryResources, type: keyof typeof types) {
  const all = resources.get(`type.googleapis.com/envoy.config.${types[type]}`);
  if (!all) throw new Error('no such type');
  return all;
}

/** The names of what is another object than before, or new. */
function anew(before: DiscoveryResources, after: DiscoveryResources, type: keyof typeof types): string[] {
  const old = ofType(before, type);
  return [...ofType(after, type)].filter(([name, each]) => old.get(name) !== each).map(([name]) => name);
}

const denying = (spec: object, name = 'p', annotations = {}) =>
  policy(`shop/${name}`, { action: 'DENY', ...spec }, { annotations });
const byPath = (path: string) => denying({ rules: [{ to: [{ operation: { paths: [path] } }] }] });
const byCaller = (principal: string) =>
  denying({ rules: [{ from: [{ source: { principals: [principal] } }] }] });

describe('what is made of the same', () => {
  test.each(['explicit', 'capture'] as const)('is the same object where nothing changed (%s)', (proxy) => {
    const mesh = startMesh(proxy);
    mesh.change([byPath('/a')]);
    const before = mesh.of('web');
    mesh.change([byPath('/a')]);
    for (const [typeUrl, resources] of mesh.of('web')) expect(resources, typeUrl).toBe(before.get(typeUrl));
  });

  test('stays when endpoints change: nothing is made but the service', () => {
    const mesh = startMesh();
    mesh.change([byPath('/a')]);
    const [before, other] = [mesh.of('web'), mesh.of('db')];
    mesh.change([byPath('/a')], [orders, stock]);
    const after = mesh.of('web');
    expect(anew(before, after, 'clusters')).toEqual(['outbound/shop/orders/80']);
    expect(anew(before, after, 'endpoints')).toEqual(['outbound/shop/orders/80']);
    expect(ofType(after, 'listeners')).toBe(ofType(before, 'listeners'));
    expect(ofType(after, 'filters')).toBe(ofType(before, 'filters'));
    for (const [typeUrl, resources] of mesh.of('db')) expect(resources).toBe(other.get(typeUrl));
  });

  test('is shared by all proxies that have it', () => {
    const mesh = startMesh();
    mesh.change([byPath('/a')]);
    const [one, two] = [mesh.of('orders'), mesh.of('stock')];
    expect(ofType(one, 'filters')).toBe(ofType(two, 'filters'));
    expect(ofType(one, 'clusters')).toBe(ofType(two, 'clusters'));
    // They listen on addresses of their own.
    expect(ofType(one, 'listeners')).not.toBe(ofType(two, 'listeners'));
  });

  test('is shared by captured proxies down to the maps, wherever they listen on all addresses', () => {
    const mesh = startMesh('capture');
    mesh.change([]);
    const [one, two] = [mesh.of('orders'), mesh.of('stock')];
    for (const type of ['clusters', 'endpoints', 'listeners', 'filters'] as const)
      expect(ofType(one, type), type).toBe(ofType(two, type));
  });
});

describe('an edit of a policy makes anew', () => {
  const edit = (before: Policy, after: Policy, of = 'orders') => {
    const mesh = startMesh();
    mesh.change([before]);
    const old = mesh.of(of);
    mesh.change([after]);
    const now = mesh.of(of);
    return { listeners: anew(old, now, 'listeners'), filters: anew(old, now, 'filters') };
  };

  test('one filter, where connections are decided as before', () => {
    expect(edit(byPath('/a'), byPath('/b'))).toEqual({
      listeners: [],
      filters: ['inbound/http/citadel.deny'],
    });
  });

  test('the listener too where it is about connections: of HTTP’s port for TLS that is passed through', () => {
    expect(edit(byCaller('*/sa/a'), byCaller('*/sa/b'))).toEqual({
      listeners: ['inbound/8080'],
      filters: ['inbound/http/citadel.deny', 'inbound/tcp/citadel.deny'],
    });
    expect(edit(byCaller('*/sa/a'), byCaller('*/sa/b'), 'db').listeners).toEqual(['inbound/5432']);
  });

  test.each([
    ['dry run', { 'istio.io/dry-run': 'true' }, 'DENY'],
    ['audit', {}, 'AUDIT'],
  ])('no listener where nothing is decided: %s', (_what, annotations, action) => {
    const of = (principal: string) =>
      denying({ action, rules: [{ from: [{ source: { principals: [principal] } }] }] }, 'p', annotations);
    const { listeners, filters } = edit(of('*/sa/a'), of('*/sa/b'), 'db');
    expect(listeners).toEqual([]);
    expect(filters).toHaveLength(1);
  });
});
