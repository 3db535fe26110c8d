import { describe, expect, it, test } from 'vitest';
import { DiscoveryMemory } from '../../../../../src/api/grpc/ads/memory.ts';
import type { Push } from '../../../../../src/api/grpc/ads/push.ts';
import { extensionType as filters, listenerType } from '../../../../../src/api/grpc/ads/types.ts';
import { resource } from '../../../../fakes/discovery-source.ts';
import { Driver, show } from './driver.ts';

const versionOf = (name: string, text: string) => resource(name, text).version;

describe.each(['sotw', 'delta'] as const)(
  'what an Envoy remembers of its filters over a reconnect, %s',
  (variant) => {
    const names = ['a'];
    const start = (text: string) => {
      const driver = new Driver(variant, { [listenerType]: { in: '1' }, [filters]: { a: text } });
      driver.ask(listenerType);
      driver.settle();
      driver.ask(filters, { names, subscribe: names });
      return driver;
    };
    /** The same process comes back, and says what it has: of the filter this text. */
    const comeBack = (driver: Driver, has: string | undefined, version = '') => {
      driver.reconnect();
      driver.ask(listenerType, { version: '1', initial: new Map([['in', versionOf('in', '1')]]) });
      driver.settle();
      const initial = new Map(has === undefined ? [] : [['a', versionOf('a', has)]]);
      driver.ask(filters, { names, subscribe: names, version, initial });
    };
    const shown = (push: Push) => show(push).replace('TypedExtensionConfig: ', '');
    const refuse = (driver: Driver) => driver.answer(driver.push(), { names, error: 'is bad' });
    const accept = (driver: Driver) => {
      const push = driver.push();
      driver.answer(push, { names });
      return shown(push);
    };
    const rest = (driver: Driver) =>
      driver.settle({ [filters]: names }).map((line) => line.replace('TypedExtensionConfig: ', ''));

    it('what it refused is not sent again, is told, and what is mended comes', () => {
      const driver = start('good');
      accept(driver);
      driver.serve({ [filters]: { a: 'bad' } });
      refuse(driver);
      accept(driver);
      comeBack(driver, 'good');
      expect(driver.session.recalled(filters)).toEqual([
        {
          typeUrl: filters,
          resources: new Map([['a', versionOf('a', 'bad')]]),
          removed: [],
          error: 'is bad',
        },
      ]);
      // A client of the whole is answered, by what it has.
      expect(rest(driver)).toEqual(variant === 'sotw' ? ['a=good'] : []);
      driver.serve({ [filters]: { a: 'mended' } });
      expect(rest(driver)).toEqual(['a=mended']);
      comeBack(driver, 'mended');
      expect(driver.session.recalled(filters)).toEqual([]);
      driver.serve({ [filters]: { a: 'bad' } });
      expect(accept(driver)).toBe('a=bad');
    });

    it('what it refused is not told where something else is wanted meanwhile', () => {
      const driver = start('good');
      accept(driver);
      driver.serve({ [filters]: { a: 'bad' } });
      refuse(driver);
      accept(driver);
      driver.serve({ [filters]: { a: 'good' } });
      comeBack(driver, 'good');
      expect(driver.session.recalled(filters)).toEqual([]);
    });

    it('what it had comes first where its stream broke behind a refusal', () => {
      const driver = start('good');
      accept(driver);
      driver.serve({ [filters]: { a: 'bad' } });
      refuse(driver);
      comeBack(driver, 'good');
      expect(rest(driver)).toEqual(['a=good']);
      driver.serve({ [filters]: { a: 'mended' } });
      expect(rest(driver)).toEqual(['a=mended']);
    });

    it('what it had comes before what it has not answered', () => {
      const driver = start('good');
      accept(driver);
      driver.serve({ [filters]: { a: 'doubtful' } });
      driver.push();
      comeBack(driver, 'good');
      expect(rest(driver)).toEqual(['a=good', 'a=doubtful']);
      comeBack(driver, 'doubtful');
      expect(rest(driver)).toEqual(variant === 'sotw' ? ['a=doubtful'] : []);
    });

    it('is asked again for nothing where it says that it took what it has not answered', () => {
      const driver = start('good');
      accept(driver);
      driver.serve({ [filters]: { a: 'taken' } });
      const { version } = driver.push();
      comeBack(driver, 'taken', version);
      expect(rest(driver)).toEqual(variant === 'sotw' ? ['a=taken'] : []);
    });

    it('of which it had nothing it forgets what it has not answered, where it can', () => {
      const driver = start('doubtful');
      driver.push();
      comeBack(driver, undefined);
      expect(rest(driver)).toEqual(variant === 'sotw' ? ['a=doubtful'] : ['-a', 'a=doubtful']);
    });

    it('of which it had nothing is not sent what it refused', () => {
      const driver = start('bad');
      refuse(driver);
      comeBack(driver, undefined);
      expect(rest(driver)).toEqual([]);
      expect(driver.session.recalled(filters)).toMatchObject([{ error: 'is bad' }]);
    });

    it('is another process when it brings nothing, and is asked again', () => {
      const driver = start('bad');
      refuse(driver);
      driver.reconnect();
      driver.ask(listenerType);
      driver.settle();
      driver.ask(filters, { names, subscribe: names });
      expect(driver.session.recalled(filters)).toEqual([]);
      expect(rest(driver)).toEqual(['a=bad']);
    });

    it('is forgotten with what it asks for no more', () => {
      const driver = start('good');
      accept(driver);
      driver.serve({ [filters]: { a: 'bad', b: '1' } });
      refuse(driver);
      accept(driver);
      driver.reconnect();
      driver.ask(listenerType, { version: '1', initial: new Map([['in', versionOf('in', '1')]]) });
      driver.ask(filters, { names: ['b'], subscribe: ['b'] });
      driver.settle({ [filters]: ['b'] });
      comeBack(driver, 'good');
      expect(driver.session.recalled(filters)).toEqual([]);
    });
  },
);

test('what was refused together, and is not known to be forgotten, is to be forgotten once more', () => {
  const names = ['a', 'b'];
  const driver = new Driver('delta', { [listenerType]: { in: '1' }, [filters]: { a: 'bad', b: '1' } });
  driver.ask(filters, { subscribe: names });
  driver.answer(driver.push(), { error: 'one of them is bad' });
  expect(driver.push().removed).toEqual(names);
  driver.reconnect();
  driver.ask(listenerType, { initial: new Map([['in', versionOf('in', '1')]]) });
  driver.settle();
  driver.ask(filters, { subscribe: names });
  const again = driver.push();
  expect(again.removed).toEqual(names);
  driver.answer(again);
  expect(driver.push().resources.map(({ name }) => name)).toEqual(names);
});

describe('what is remembered of clients without a stream', () => {
  const resourceOf = (text: string) => ({ name: 'a', version: text, value: Buffer.from(text) });
  const leave = (memory: DiscoveryMemory, proxyKey: string, nodeId = 'n') => {
    const client = memory.open({ proxyKey, nodeId });
    client.doubts(filters, false).refused(new Map([['a', 'bad']]), 'is bad');
    client.close();
  };
  const refusedBy = (memory: DiscoveryMemory, proxyKey: string, nodeId = 'n') => {
    const client = memory.open({ proxyKey, nodeId });
    const refused = client
      .doubts(filters, true)
      .entries()
      .map(([name]) => name);
    client.close();
    return refused.length > 0;
  };

  it('is nothing where nothing is in doubt', () => {
    const memory = new DiscoveryMemory(() => 0);
    const client = memory.open({ proxyKey: 'p', nodeId: 'n' });
    const doubts = client.doubts(filters, false);
    doubts.sending(resourceOf('1'), undefined);
    doubts.accepted([resourceOf('1')], new Map([['a', resourceOf('1')]]));
    client.close();
    expect(memory.size).toBe(0);
  });

  it('is of so many clients, and of so many that one proxy calls itself; those that left first go first', () => {
    const memory = new DiscoveryMemory(() => 0, { away: 3, awayPerProxy: 2 });
    for (const node of ['1', '2', '3']) leave(memory, 'p', node);
    expect(['1', '2', '3'].filter((node) => refusedBy(memory, 'p', node))).toEqual(['2', '3']);
    leave(memory, 'q');
    leave(memory, 'r');
    expect(memory.size).toBe(3);
    expect(refusedBy(memory, 'p', '2')).toBe(false);
    expect(refusedBy(memory, 'r')).toBe(true);
  });

  it('is of so many names', () => {
    const memory = new DiscoveryMemory(() => 0, { names: 2 });
    const doubts = memory.open({ proxyKey: 'p', nodeId: 'n' }).doubts(filters, false);
    doubts.refused(new Map(['a', 'b', 'c'].map((name) => [name, '1'])), 'is bad');
    expect(doubts.entries().map(([name]) => name)).toEqual(['b', 'c']);
  });

  it('is forgotten after a while', () => {
    let now = 0;
    const memory = new DiscoveryMemory(() => now, { retention: 10 });
    leave(memory, 'p');
    now = 9;
    expect(refusedBy(memory, 'p')).toBe(true);
    now = 19;
    expect(refusedBy(memory, 'p')).toBe(false);
    expect(memory.size).toBe(0);
  });

  it('is there at once for who comes back before its old stream is known to be lost', () => {
    const memory = new DiscoveryMemory(() => 0);
    const first = memory.open({ proxyKey: 'p', nodeId: 'n' });
    first.doubts(filters, false).refused(new Map([['a', 'bad']]), 'is bad');
    expect(refusedBy(memory, 'p')).toBe(true);
    expect(memory.size).toBe(1);
    first.close();
    expect(refusedBy(memory, 'p')).toBe(true);
  });
});
