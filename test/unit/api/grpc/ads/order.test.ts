import { describe, expect, it } from 'vitest';
import {
  clusterType,
  endpointType,
  extensionType,
  listenerType,
  routeType,
  secretType,
} from '../../../../../src/api/grpc/ads/types.ts';
import { Driver, show } from './driver.ts';

const names = { [endpointType]: ['a', 'b'], [routeType]: ['r'], [extensionType]: ['x'], [secretType]: ['s'] };

const before = {
  [secretType]: { s: '1' },
  [extensionType]: { x: '1' },
  [routeType]: { r: 'to a' },
  [listenerType]: { l: '1' },
  [endpointType]: { a: '1' },
  [clusterType]: { a: '1' },
};
const after = { [clusterType]: { b: '1' }, [endpointType]: { b: '1' }, [routeType]: { r: 'to b' } };

/** A stream that has all of `before`. */
function settled(variant: 'sotw' | 'delta', limits = {}): Driver {
  const driver = new Driver(variant, before, limits);
  driver.ask(clusterType);
  driver.ask(listenerType);
  for (const [typeUrl, wanted] of Object.entries(names)) {
    driver.ask(typeUrl, { names: wanted, subscribe: wanted });
  }
  driver.settle(names);
  return driver;
}

describe.each(['sotw', 'delta'] as const)('make before break, %s', (variant) => {
  const whole = variant === 'sotw';

  it('sends clusters, endpoints, listeners, routes, extensions, secrets', () => {
    const driver = new Driver(variant, before);
    for (const [typeUrl, wanted] of Object.entries(names)) {
      driver.ask(typeUrl, { names: wanted, subscribe: wanted });
    }
    driver.ask(listenerType);
    driver.ask(clusterType);
    expect(driver.settle(names).map((line) => line.split(':')[0])).toEqual([
      'Cluster',
      'ClusterLoadAssignment',
      'Listener',
      'RouteConfiguration',
      'TypedExtensionConfig',
      'Secret',
    ]);
  });

  it('adds, moves, and only then removes', () => {
    const driver = settled(variant);
    driver.serve(after);
    const lines = driver.settle(names);
    expect(lines.slice(0, 4)).toEqual([
      whole ? 'Cluster: a=1 b=1' : 'Cluster: b=1',
      'ClusterLoadAssignment: b=1',
      'RouteConfiguration: r=to b',
      whole ? 'Cluster: b=1 -a' : 'Cluster: -a',
    ]);
    expect(lines.slice(4)).toEqual(whole ? [] : ['ClusterLoadAssignment: -a']);
  });

  it('lets no route out before its clusters were answered, but not for ever', () => {
    const driver = settled(variant, { orderWait: 1000 });
    driver.serve(after);
    const [cluster, endpoints] = [driver.push(), driver.push()];
    driver.answer(endpoints, { names: ['a', 'b'] });
    expect(driver.next()).toBeUndefined();
    expect(driver.session.wakeAt(driver.now)).toBe(1000);
    driver.now = 1000;
    expect(show(driver.push())).toBe('RouteConfiguration: r=to b');
    expect(driver.answer(cluster)?.milliseconds).toBe(1000);
  });

  it('lets secrets out at once: clusters warm until they have them', () => {
    const driver = settled(variant);
    driver.serve({ ...after, [secretType]: { s: '2' } });
    expect([driver.push(), driver.push(), driver.push()].map(({ typeUrl }) => typeUrl)).toEqual([
      clusterType,
      endpointType,
      secretType,
    ]);
  });

  it('keeps a cluster until the route that no longer names it was accepted', () => {
    const driver = settled(variant, { removalWait: 10_000 });
    driver.serve(after);
    const [cluster, endpoints] = [driver.push(), driver.push()];
    driver.answer(cluster);
    driver.answer(endpoints, { names: ['a', 'b'] });
    const route = driver.push();
    expect(driver.next()).toBeUndefined();
    driver.answer(route, { names: ['r'], error: 'no' });
    expect(driver.next()).toBeUndefined();
    driver.now = driver.session.wakeAt(driver.now) ?? Number.NaN;
    expect(driver.now).toBe(10_000);
    expect(show(driver.push())).toBe(whole ? 'Cluster: b=1 -a' : 'Cluster: -a');
  });

  it('keeps a cluster for who has not asked for its listeners, for a while', () => {
    const driver = new Driver(variant, before, { removalWait: 10_000 });
    driver.ask(clusterType);
    driver.settle();
    driver.serve({ [clusterType]: {} });
    expect(driver.next()).toBeUndefined();
    driver.now = 10_000;
    expect(show(driver.push())).toBe('Cluster: -a');
  });

  it('removes an extension after the listener that named it', () => {
    const driver = settled(variant);
    driver.serve({ [extensionType]: {}, [listenerType]: { l: 'without x' } });
    expect(driver.settle(names)).toEqual([
      'Listener: l=without x',
      ...(whole ? [] : ['TypedExtensionConfig: -x']),
    ]);
  });
});
