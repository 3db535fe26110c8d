import { describe, expect, it, test } from 'vitest';
import type { DiscoveryLimits } from '../../../../../src/api/grpc/ads/limits.ts';
import {
  clusterType,
  endpointType,
  listenerType,
  routeType,
  secretType,
} from '../../../../../src/api/grpc/ads/types.ts';
import { Driver, show } from './driver.ts';

const both = ['sotw', 'delta'] as const;

describe.each(both)('subscribing, %s', (variant) => {
  const asking = (names: readonly string[]) => (variant === 'sotw' ? { names } : { subscribe: names });
  const content = { a: '1', b: '1' };

  test.each([
    ['an empty first request is everything, for clusters', clusterType, [], 'Cluster: a=1 b=1'],
    ['and for listeners', listenerType, [], 'Listener: a=1 b=1'],
    ['for routes it is nothing', routeType, [], undefined],
    ['`*` is everything', clusterType, ['*'], 'Cluster: a=1 b=1'],
    ['a name is that one', clusterType, ['b'], 'Cluster: b=1'],
    ['`*` and a name are everything', clusterType, ['*', 'b'], 'Cluster: a=1 b=1'],
    ['names of another type', endpointType, ['a'], 'ClusterLoadAssignment: a=1'],
  ] as const)('%s', (_rule, typeUrl, names, expected) => {
    const driver = new Driver(variant, { [typeUrl]: content });
    driver.ask(typeUrl, asking(names));
    const push = driver.next();
    expect(push && show(push)).toBe(expected);
  });

  it('answers an empty wildcard at once: a client waits for it', () => {
    const driver = new Driver(variant, {});
    driver.ask(listenerType);
    expect(show(driver.push())).toBe('Listener:');
  });

  it('never gives what is not in the set of this proxy, whatever it is asked for', () => {
    const driver = new Driver(variant, { [secretType]: { mine: '1' } });
    driver.ask(secretType, asking(['mine', 'another', '*', '__proto__', 'toString']));
    expect(driver.push().resources.map(({ name }) => name)).toEqual(['mine']);
  });

  it('gives what comes into being later', () => {
    const driver = new Driver(variant, { [routeType]: {} });
    driver.ask(routeType, asking(['r']));
    driver.settle({ [routeType]: ['r'] });
    driver.serve({ [routeType]: { r: '1' } });
    expect(show(driver.push())).toBe('RouteConfiguration: r=1');
  });

  it('knows several types on one stream, each with its own nonces', () => {
    const driver = new Driver(variant, { [clusterType]: { a: '1' }, [secretType]: { s: '1' } });
    driver.ask(clusterType);
    driver.ask(secretType, asking(['s']));
    const [clusters, secrets] = [driver.push(), driver.push()];
    expect([show(clusters), show(secrets)]).toEqual(['Cluster: a=1', 'Secret: s=1']);
    expect(driver.ask(secretType, { nonce: clusters.nonce, names: ['s'] })).toBeUndefined();
    expect(driver.answer(secrets, { names: ['s'] })?.answers).toHaveLength(1);
  });

  it.each<readonly [string, Partial<DiscoveryLimits>]>([
    ['names', { names: 10 }],
    ['types', { typesPerStream: 3 }],
  ])('is bounded in %s', (_what, limits) => {
    const driver = new Driver(variant, {}, limits);
    const names = ['1', '2', '3', '4', '5', '6'];
    driver.ask('t1', asking(names));
    expect(() => {
      for (const typeUrl of ['t2', 't3', 't4']) driver.ask(typeUrl, asking(typeUrl === 't4' ? names : ['1']));
    }).toThrow(/at most/);
  });
});

describe('state of the world', () => {
  it('sends listeners and clusters whole, others as far as they changed', () => {
    const driver = new Driver('sotw', {
      [clusterType]: { a: '1', b: '1' },
      [endpointType]: { a: '1', b: '1' },
    });
    driver.ask(clusterType);
    driver.ask(endpointType, { names: ['a', 'b'] });
    driver.settle({ [endpointType]: ['a', 'b'] });
    driver.serve({ [clusterType]: { a: '1', b: '1', c: '1' }, [endpointType]: { a: '2', b: '1' } });
    expect(driver.settle({ [endpointType]: ['a', 'b'] })).toEqual([
      'Cluster: a=1 b=1 c=1',
      'ClusterLoadAssignment: a=2',
    ]);
  });

  it('says by absence that a listener is gone, and nothing of a route', () => {
    const driver = new Driver('sotw', { [listenerType]: { a: '1', b: '1' }, [routeType]: { r: '1' } });
    driver.ask(listenerType);
    driver.ask(routeType, { names: ['r'] });
    driver.settle({ [routeType]: ['r'] });
    driver.serve({ [listenerType]: { b: '1' }, [routeType]: {} });
    expect(driver.settle()).toEqual(['Listener: b=1 -a']);
  });

  it('ignores a request with an outdated nonce, names and all', () => {
    const driver = new Driver('sotw', { [endpointType]: { a: '1', b: '1' } });
    driver.ask(endpointType, { names: ['a'] });
    const first = driver.push();
    driver.answer(first, { names: ['a'] });
    driver.serve({ [endpointType]: { a: '2', b: '1' } });
    const second = driver.push();
    driver.ask(endpointType, { nonce: first.nonce, names: ['a', 'b'] });
    expect(driver.next()).toBeUndefined();
    expect(driver.answer(second, { names: ['a', 'b'] })?.answers[0]?.error).toBeUndefined();
    expect(show(driver.push())).toBe('ClusterLoadAssignment: b=1');
  });

  it('takes a nonce of an earlier stream for none', () => {
    const driver = new Driver('sotw', { [endpointType]: { a: '1' } });
    driver.ask(endpointType, { nonce: '77', names: ['a'] });
    expect(show(driver.push())).toBe('ClusterLoadAssignment: a=1');
  });

  it('sends again what was dropped and is asked for again', () => {
    const driver = new Driver('sotw', { [endpointType]: { a: '1', b: '1' } });
    driver.ask(endpointType, { names: ['a', 'b'] });
    const push = driver.push();
    driver.answer(push, { names: ['a'] });
    expect(driver.next()).toBeUndefined();
    driver.answer(push, { names: ['a', 'b'] });
    expect(show(driver.push())).toBe('ClusterLoadAssignment: b=1');
  });

  it('means nothing by an empty list once a name was asked for', () => {
    const driver = new Driver('sotw', { [clusterType]: { a: '1', b: '1' } });
    driver.ask(clusterType, { names: ['a'] });
    driver.answer(driver.push(), { names: [] });
    driver.serve({ [clusterType]: { a: '2', b: '1' } });
    expect(driver.next()).toBeUndefined();
  });

  it('sends nothing to who comes back with the version of what there is', () => {
    const content = { [clusterType]: { a: '1', b: '1' } };
    const before = new Driver('sotw', content);
    before.ask(clusterType);
    const { version } = before.push();
    const after = new Driver('sotw', content);
    after.ask(clusterType, { version });
    expect(after.next()).toBeUndefined();
    after.serve({ [clusterType]: { b: '1', a: '2' } });
    expect(show(after.push())).toBe('Cluster: a=2 b=1');
  });

  it('answers again what a replaced cluster waits for, once', () => {
    const driver = new Driver('sotw', { [clusterType]: { a: '1' }, [endpointType]: { a: '1' } });
    driver.ask(clusterType);
    driver.ask(endpointType, { names: ['a'] });
    const [cluster, endpoints] = [driver.push(), driver.push()];
    driver.answer(cluster);
    driver.answer(endpoints, { names: ['a'] });
    driver.answer(endpoints, { names: ['a'] });
    expect(driver.next()).toBeUndefined();
    driver.serve({ [clusterType]: { a: '2' } });
    driver.answer(driver.push());
    driver.answer(endpoints, { names: ['a'] });
    expect(show(driver.push())).toBe('ClusterLoadAssignment: a=1');
  });
});

describe('delta', () => {
  const initial = (versions: Readonly<Record<string, string>>) => new Map(Object.entries(versions));
  const versionOf = (driver: Driver, typeUrl: string) => {
    driver.ask(typeUrl);
    return Object.fromEntries(driver.push().resources.map(({ name, version }) => [name, version]));
  };

  it('after a reconnect sends what changed, removes what is gone, and nothing else', () => {
    const content = { [listenerType]: { a: '1', b: '1', c: '1' } };
    const versions = versionOf(new Driver('delta', content), listenerType);
    const driver = new Driver('delta', { [listenerType]: { a: '1', b: '2', d: '1' } });
    driver.ask(listenerType, { initial: initial(versions) });
    expect(driver.settle()).toEqual(['Listener: b=2 d=1 -c']);
    const same = new Driver('delta', content);
    same.ask(listenerType, { initial: initial(versions) });
    expect(same.next()).toBeUndefined();
  });

  it('believes the first request of a type alone about what the client has', () => {
    const driver = new Driver('delta', { [routeType]: { a: '1', b: '1' } });
    driver.ask(routeType, { subscribe: ['a'], initial: initial({ a: 'old', other: 'x' }) });
    const first = driver.push();
    expect(show(first)).toBe('RouteConfiguration: a=1');
    driver.ask(routeType, {
      nonce: first.nonce,
      subscribe: ['b'],
      initial: initial({ b: first.resources[0]?.version ?? '' }),
    });
    expect(show(driver.push())).toBe('RouteConfiguration: b=1');
  });

  it('says at once what does not exist, and once', () => {
    const driver = new Driver('delta', { [routeType]: { a: '1' } });
    driver.ask(routeType, { subscribe: ['a', 'none'] });
    expect(driver.settle()).toEqual(['RouteConfiguration: a=1 -none']);
    driver.serve({ [routeType]: { a: '1' } });
    expect(driver.next()).toBeUndefined();
    driver.ask(routeType, { subscribe: ['none'] });
    expect(driver.settle()).toEqual(['RouteConfiguration: -none']);
  });

  it('answers a type that nobody serves as one without resources', () => {
    const driver = new Driver('delta', {});
    driver.ask('type.googleapis.com/envoy.service.runtime.v3.Runtime', { subscribe: ['layer'] });
    expect(driver.settle()).toEqual(['Runtime: -layer']);
  });

  it('sends again what is subscribed to again', () => {
    const driver = new Driver('delta', { [endpointType]: { a: '1', b: '1' } });
    driver.ask(endpointType, { subscribe: ['a', 'b'] });
    driver.settle();
    driver.ask(endpointType, { subscribe: ['b'] });
    expect(driver.settle()).toEqual(['ClusterLoadAssignment: b=1']);
  });

  it('says nothing of what is unsubscribed, but below a wildcard says whether it stays', () => {
    const driver = new Driver('delta', { [endpointType]: { a: '1' }, [listenerType]: { a: '1' } });
    driver.ask(endpointType, { subscribe: ['a'] });
    driver.settle();
    driver.ask(endpointType, { unsubscribe: ['a', 'phantom'] });
    expect(driver.settle()).toEqual([]);
    driver.ask(listenerType, { subscribe: ['*', 'a', 'b'] });
    expect(driver.settle()).toEqual(['Listener: a=1 -b']);
    driver.ask(listenerType, { unsubscribe: ['a', 'b'] });
    expect(driver.settle()).toEqual(['Listener: a=1 -b']);
  });

  it('follows the example of the documentation from `*` to nothing', () => {
    const driver = new Driver('delta', { [clusterType]: { A: '1', B: '1' } });
    driver.ask(clusterType);
    expect(driver.settle()).toEqual(['Cluster: A=1 B=1']);
    driver.ask(clusterType, { subscribe: ['A'] });
    expect(driver.settle()).toEqual(['Cluster: A=1']);
    driver.ask(clusterType, { unsubscribe: ['*'] });
    driver.serve({ [clusterType]: { A: '2', B: '2' } });
    expect(driver.settle()).toEqual(['Cluster: A=2']);
    driver.ask(clusterType, { unsubscribe: ['A'] });
    driver.serve({ [clusterType]: { A: '3', B: '3' } });
    expect(driver.settle()).toEqual([]);
  });

  it('honours what a request with an outdated nonce subscribes to', () => {
    const driver = new Driver('delta', { [endpointType]: { a: '1', b: '1' } });
    driver.ask(endpointType, { subscribe: ['a'] });
    const push = driver.push();
    expect(driver.ask(endpointType, { nonce: 'long gone', subscribe: ['b'] })).toBeUndefined();
    driver.answer(push);
    expect(show(driver.push())).toBe('ClusterLoadAssignment: b=1');
  });

  it('sends the endpoints of a replaced cluster along, unchanged as they are, also after a reconnect', () => {
    const driver = new Driver('delta', { [clusterType]: { a: '2' }, [endpointType]: { a: '1', b: '1' } });
    driver.ask(clusterType, { initial: initial({ a: 'old' }) });
    const cluster = driver.push();
    const version = {
      a: versionOf(new Driver('delta', { [listenerType]: { a: '1' } }), listenerType)['a'] ?? '',
    };
    driver.ask(endpointType, { subscribe: ['a'], initial: initial(version) });
    expect(show(driver.push())).toBe('ClusterLoadAssignment: a=1');
    driver.answer(cluster);
  });
});

describe.each(both)('one push of a type at a time, %s', (variant) => {
  it('merges what changes meanwhile', () => {
    const driver = new Driver(variant, { [listenerType]: { a: '1' } });
    driver.ask(listenerType);
    const first = driver.push();
    driver.serve({ [listenerType]: { a: '2', b: '1' } });
    expect(driver.next()).toBeUndefined();
    driver.serve({ [listenerType]: { a: '3', b: '1' } });
    expect(driver.next()).toBeUndefined();
    driver.answer(first);
    expect(driver.settle()).toEqual(['Listener: a=3 b=1']);
  });

  it('tells how long the oldest is unanswered', () => {
    const driver = new Driver(variant, {});
    driver.now = 100;
    driver.ask(listenerType);
    const push = driver.push();
    expect(driver.session.oldestUnanswered()).toEqual({ label: 'lds', since: 100 });
    driver.answer(push);
    expect(driver.session.oldestUnanswered()).toBeUndefined();
  });
});
