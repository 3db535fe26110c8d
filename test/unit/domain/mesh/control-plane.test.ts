import { describe, expect, test, vi } from 'vitest';
import {
  type ControlPlaneOptions,
  createControlPlane,
  type ProxyView,
} from '../../../../src/domain/mesh/index.ts';
import type { DiscoveryResources } from '../../../../src/domain/ports/index.ts';
import { silentLog, systemClock } from '../../../../src/kernel/index.ts';
import { fakeKeySets } from '../../../fakes/key-sets.ts';
import { fakeMeshSource } from '../../../fakes/mesh-source.ts';
import { waitFor } from '../../../parts/index.ts';
import { policy } from '../policy/mesh.ts';
import { connected, content, peerAuthentication, service, settings, workload } from './samples.ts';

const egress = [{ address: '127.0.0.1', port: 7001, service: 'shop/orders', servicePort: 80 }];
const orders = workload('orders');
const web = workload('web', { egress });
const cron = workload('cron');
const initial = content([orders, web, cron], [service('orders', orders)]);
const listenerType = 'type.googleapis.com/test.Listener';

/** One resource, whose version tells the addresses that the view calls. */
const renderer = {
  render(view: ProxyView): DiscoveryResources {
    if (view.workload.labels['broken']) throw new Error('cannot be rendered');
    const version = view.services
      .flatMap(({ ports }) => ports.flatMap((port) => port.endpoints.map(({ address }) => address)))
      .join();
    return new Map([[listenerType, new Map([['l', { name: 'l', version, value: new Uint8Array() }]])]]);
  },
};

async function start(over: Partial<ControlPlaneOptions> = {}) {
  const source = fakeMeshSource('test', initial);
  const plane = createControlPlane({
    settings,
    sources: [source],
    renderer,
    clock: systemClock,
    log: silentLog,
    ...over,
  });
  await plane.start();
  return { plane, source };
}

const identityOf = (name: string) => ({
  proxyKey: `x:${name}`,
  spiffeId: `spiffe://example.org/ns/shop/sa/${name}`,
});

describe('the control plane', () => {
  test('tells which caller does not know yet how it is to call, by its clusters alone', async () => {
    const clusterType = 'type.googleapis.com/test.Cluster';
    const both = {
      render: (view: ProxyView): DiscoveryResources => {
        const one = (name: string, version: string) =>
          new Map([[name, { name, version, value: new Uint8Array() }]]);
        const [address = ''] = view.services.flatMap(({ service: { ports } }) =>
          ports.flatMap((port) => port.endpoints.map((endpoint) => endpoint.address)),
        );
        return new Map([
          [clusterType, one('c', address)],
          [listenerType, one('l', '1')],
        ]);
      },
    };
    const { plane, source } = await start({ renderer: both });
    expect(plane.callerBehind(orders.id)).toBeUndefined();
    const session = plane.open(connected(identityOf('web')), () => {});
    const other = plane.open(connected(identityOf('cron')), () => {});
    const accept = (typeUrl: string, name: string, version: string) => {
      session.answered({ typeUrl, resources: new Map([[name, version]]), removed: [], error: undefined });
    };
    session.sent(clusterType, new Map([['c', '127.0.0.1']]), []);
    other.sent(clusterType, new Map([['c', 'old']]), []);
    expect(plane.callerBehind(orders.id)).toBe(web.id);
    expect(plane.callerBehind(web.id)).toBeUndefined();
    // Its listeners are no matter of how it calls.
    session.sent(listenerType, new Map([['l', '0']]), []);
    expect(plane.callerBehind(orders.id)).toBe(web.id);
    accept(clusterType, 'c', '127.0.0.1');
    expect(plane.callerBehind(orders.id)).toBeUndefined();
    expect(plane.listenersAt(web.id).map(({ resources }) => resources.map(({ name }) => name))).toEqual([
      ['l'],
    ]);
    expect(plane.listenersAt(orders.id)).toEqual([]);
    const moved = workload('orders', { addresses: ['127.0.0.9'] });
    source.set(content([moved, web, cron], [service('orders', moved)]));
    await waitFor(() => plane.callerBehind(orders.id) === web.id, { what: 'the caller to be behind again' });
    await plane.close();
  });

  test('asks again who is strict when it is told to', async () => {
    let strict = false;
    const { plane } = await start({ isStrict: ({ name }) => strict && name === 'orders' });
    strict = true;
    plane.refresh();
    await waitFor(() => plane.view(orders.id)?.inbound[0]?.mode === 'STRICT', { what: 'the order to hold' });
    expect(plane.view(web.id)?.inbound[0]?.mode).toBe('PERMISSIVE');
    await plane.close();
  });

  test('tells those whom a change touches, and works out nothing for others', async () => {
    const { plane, source } = await start();
    const changed = { web: vi.fn(), orders: vi.fn(), cron: vi.fn() };
    const sessions = Object.entries(changed).map(([name, notify]) =>
      plane.open(connected(identityOf(name)), notify),
    );
    expect(plane.renders()).toBe(3);

    const moved = workload('orders', { addresses: ['127.0.0.9'] });
    source.set(content([moved, web, cron], [service('orders', moved)]));
    await waitFor(() => changed.web.mock.calls.length > 0, { what: 'the caller to be told' });
    expect(changed.orders).toHaveBeenCalledOnce();
    expect(changed.cron).not.toHaveBeenCalled();
    expect(plane.renders()).toBe(5);
    expect(sessions[0]?.resources().get(listenerType)?.get('l')?.version).toBe('127.0.0.9');
    await plane.close();
  });

  test('lets nobody in before the registry has been read', async () => {
    const { plane } = await start({ sources: [fakeMeshSource('slow'), fakeMeshSource('test', initial)] });
    expect(() => plane.open(connected(identityOf('web')), () => {})).toThrow('has not been read yet');
    await plane.close();
  });

  test('refuses an identity that no registry names, without telling whether others exist', async () => {
    const { plane } = await start();
    expect(() => plane.open(connected(identityOf('stranger')), () => {})).toThrow(
      expect.objectContaining({
        code: 'PermissionDenied',
        message: 'no registry names a workload of this identity',
      }),
    );
    await plane.close();
  });

  test('keeps what a proxy has when its new configuration cannot be made', async () => {
    const { plane, source } = await start();
    const changed = { web: vi.fn(), cron: vi.fn() };
    const session = plane.open(connected(identityOf('web')), changed.web);
    plane.open(connected(identityOf('cron')), changed.cron);
    const broken = workload('web', { egress, labels: { broken: 'yes' } });
    source.set(
      content([orders, broken, workload('cron', { labels: { new: 'yes' } })], [service('orders', orders)]),
    );
    await waitFor(() => changed.cron.mock.calls.length > 0, { what: 'the other proxy to be told' });
    expect(changed.web).not.toHaveBeenCalled();
    expect(session.resources().get(listenerType)?.get('l')?.version).toBe('127.0.0.1');
    // What it accepts says nothing of what holds now.
    const behind = () => plane.proxies().map(({ workload: id, isBehind }) => [id, isBehind]);
    expect(behind()).toEqual([
      [web.id, true],
      [cron.id, false],
    ]);
    expect(plane.callerBehind(orders.id)).toBe(web.id);
    source.set(initial);
    await waitFor(() => behind().every(([, isBehind]) => isBehind === false), {
      what: 'the old to hold again',
    });
    await plane.close();
  });

  test('keeps sent, accepted and refused apart', async () => {
    const { plane } = await start();
    const session = plane.open(connected(identityOf('web')), () => {});
    const state = () => plane.proxies()[0]?.resources[0];
    expect(state()).toMatchObject({ wanted: '127.0.0.1', sent: undefined, accepted: undefined });
    const pushed = new Map([['l', '127.0.0.1']]);
    session.sent(listenerType, pushed, []);
    expect(state()).toMatchObject({ sent: '127.0.0.1', accepted: undefined });
    session.answered({ typeUrl: listenerType, resources: pushed, removed: [], error: 'no such filter' });
    expect(state()).toMatchObject({ accepted: undefined, error: 'no such filter' });
    session.answered({ typeUrl: listenerType, resources: pushed, removed: [], error: undefined });
    expect(state()).toMatchObject({ accepted: '127.0.0.1', error: undefined });
    session.close();
    expect(plane.proxies()).toEqual([]);
    await plane.close();
  });

  test('tells of what does not count: in the states, in the policy’s status, and once in the log', async () => {
    const warn = vi.fn();
    const from = (source: string, mode: 'STRICT' | 'DISABLE') =>
      peerAuthentication(mode, {
        meta: { namespace: 'shop', name: 'default', generation: 1, origin: { source } },
      });
    const first = fakeMeshSource('files', content([web], [], [from('a.yaml', 'STRICT')]));
    const second = fakeMeshSource('kubernetes/b', content([], [], [from('kubernetes/b', 'DISABLE')]));
    const { plane } = await start({ sources: [first, second], log: { ...silentLog, warn } });
    const reason =
      'PeerAuthentication/shop/default of kubernetes/b does not count: that of a.yaml comes first, and says something else';
    expect(plane.sources().map(({ shadowed }) => shadowed)).toEqual([
      [],
      [{ object: 'PeerAuthentication/shop/default', reason }],
    ]);
    expect(plane.policies().map(({ shadowed }) => shadowed)).toEqual([['kubernetes/b']]);
    first.set(content([web, cron], [], [from('a.yaml', 'STRICT')]));
    await waitFor(() => plane.snapshot()?.workloads.size === 2, { what: 'the change' });
    expect(warn.mock.calls.map(([, fields]) => fields)).toEqual([{ reason }]);
    second.set(content([]));
    await waitFor(() => plane.sources()[1]?.shadowed.length === 0, { what: 'the end of it' });
    await plane.close();
  });

  test('works out nothing any more once it is closed, whoever tells of a change', async () => {
    // The debounce is over at once: what is not held back is done within two turns.
    const { plane, source } = await start({ clock: { ...systemClock, sleep: () => Promise.resolve() } });
    plane.open(connected(identityOf('web')), () => {});
    const [version, renders] = [plane.snapshot()?.version, plane.renders()];
    const closing = plane.close();
    source.set(content([web], []));
    await closing;
    source.set(content([cron], []));
    for (let turns = 0; turns < 2; turns += 1) await new Promise(setImmediate);
    expect(plane.snapshot()?.version).toBe(version);
    expect(plane.renders()).toBe(renders);
  });

  describe('with a policy whose keys are fetched', () => {
    const uri = (path: string) => `https://id.example/${path}`;
    const policies = (...paths: readonly string[]) =>
      paths.map((path) =>
        policy(
          `shop/${path}`,
          { jwtRules: [{ issuer: 'i', jwksUri: uri(path) }] },
          { kind: 'RequestAuthentication' },
        ),
      );
    const withPolicies = (...paths: readonly string[]) =>
      content([orders, web, cron], [service('orders', orders)], policies(...paths));
    /** Tells the keys that the view has. */
    const telling = {
      render: ({ keySets }: ProxyView): DiscoveryResources =>
        new Map([
          [
            listenerType,
            new Map([['l', { name: 'l', version: [...keySets.values()].join(), value: new Uint8Array() }]]),
          ],
        ]),
    };

    async function startWith(now: () => Date = () => new Date()) {
      const keySets = fakeKeySets();
      const source = fakeMeshSource('test', withPolicies('a'));
      const clock = { ...systemClock, now };
      const plane = createControlPlane({
        settings,
        sources: [source],
        renderer: telling,
        keySets,
        clock,
        log: silentLog,
      });
      const started = plane.start();
      await waitFor(() => keySets.wanted.has(`jwks:${uri('a')}`), { what: 'the keys to be wanted' });
      keySets.set(`jwks:${uri('a')}`, 'A1');
      await started;
      const changed = vi.fn();
      const session = plane.open(connected(identityOf('web')), changed);
      const version = () => session.resources().get(listenerType)?.get('l')?.version;
      return { keySets, source, plane, changed, version };
    }

    test('the start waits for them, and new ones are told', async () => {
      const { keySets, plane, version } = await startWith();
      expect(version()).toBe('A1');
      keySets.set(`jwks:${uri('a')}`, 'A2');
      await waitFor(() => version() === 'A2', { what: 'the new keys' });
      await plane.close();
    });

    test('a start that is still under way at the close works out nothing any more', async () => {
      const keySets = fakeKeySets();
      const source = fakeMeshSource('test', withPolicies('a'));
      const plane = createControlPlane({
        settings,
        sources: [source],
        renderer: telling,
        keySets,
        clock: systemClock,
        log: silentLog,
      });
      const progress = vi.fn();
      const started = plane.start();
      await waitFor(() => keySets.wanted.has(`jwks:${uri('a')}`), { what: 'the keys to be wanted' });
      plane.onProgress(progress);
      await plane.close();
      keySets.set(`jwks:${uri('a')}`, 'A1');
      await started;
      expect(progress).not.toHaveBeenCalled();
    });

    test('a proxy keeps what it has until it is known whether a new rule has keys', async () => {
      const { keySets, source, plane, changed, version } = await startWith();
      source.set(withPolicies('b'));
      await waitFor(() => keySets.wanted.has(`jwks:${uri('b')}`), { what: 'the keys to be wanted' });
      expect(version()).toBe('A1');
      expect(changed).not.toHaveBeenCalled();
      keySets.set(`jwks:${uri('b')}`, undefined);
      await waitFor(() => version() === '', { what: 'the rule without keys' });
      await plane.close();
    });

    test('but not for longer than ten seconds, whatever keys are named meanwhile', async () => {
      let passed = 0;
      const { source, keySets, plane, changed, version } = await startWith(
        () => new Date(Date.now() + passed),
      );
      source.set(withPolicies('b'));
      await waitFor(() => keySets.wanted.has(`jwks:${uri('b')}`), { what: 'the keys to be wanted' });
      passed = 9_000;
      source.set(withPolicies('c'));
      await waitFor(() => keySets.wanted.has(`jwks:${uri('c')}`), { what: 'the next keys to be wanted' });
      expect(changed).not.toHaveBeenCalled();
      passed = 10_000;
      source.set(withPolicies('d'));
      await waitFor(() => changed.mock.calls.length > 0, { what: 'the policy to hold without keys' });
      expect(version()).toBe('');
      await plane.close();
    });
  });
});
