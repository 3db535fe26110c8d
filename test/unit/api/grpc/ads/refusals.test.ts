import { describe, expect, it } from 'vitest';
import {
  clusterType,
  endpointType,
  extensionType,
  listenerType,
} from '../../../../../src/api/grpc/ads/types.ts';
import { Driver, show } from './driver.ts';

const letters = 'abcdefgh'.split('');
const all = (text: string) => Object.fromEntries(letters.map((name) => [name, text]));

/** Answers as a client does that refuses a whole response for one broken resource in it. */
function strict(driver: Driver, names: readonly string[]): readonly string[] {
  const lines: string[] = [];
  for (let push = driver.next(); push; push = driver.next()) {
    lines.push(show(push));
    const broken = push.resources.some(({ value }) => Buffer.from(value).includes('bad'));
    driver.answer(push, broken ? { names, error: 'one of them is bad' } : { names });
  }
  return lines;
}

describe.each(['sotw', 'delta'] as const)('a NACK, %s', (variant) => {
  const whole = variant === 'sotw';
  const named = 'Error adding/updating listener(s) b: is bad\n';

  it('is told with its text, of the one that Envoy names; the others count as accepted', () => {
    const driver = new Driver(variant, { [listenerType]: { a: '1', b: 'bad', c: '1' } });
    driver.ask(listenerType);
    const answered = driver.answer(driver.push(), { error: named });
    expect(answered?.answers.map(({ resources, error }) => [[...resources.keys()], error])).toEqual([
      [['a', 'c'], undefined],
      [['b'], named],
    ]);
  });

  it('keeps the last good version, and sends the refused one no more until it changes', () => {
    const driver = new Driver(variant, { [listenerType]: { a: '1', b: 'good' } });
    driver.ask(listenerType);
    driver.settle();
    driver.serve({ [listenerType]: { a: '1', b: 'bad' } });
    driver.answer(driver.push(), { error: named });
    expect(driver.next()).toBeUndefined();
    driver.serve({ [listenerType]: { a: '2', b: 'bad' } });
    expect(driver.settle()).toEqual([whole ? 'Listener: a=2 b=good' : 'Listener: a=2']);
    driver.serve({ [listenerType]: { a: '2', b: 'better' } });
    expect(driver.settle()).toEqual([whole ? 'Listener: a=2 b=better' : 'Listener: b=better']);
  });

  it('needs no push to go back to what the proxy kept', () => {
    const driver = new Driver(variant, { [listenerType]: { b: 'good' } });
    driver.ask(listenerType);
    driver.settle();
    driver.serve({ [listenerType]: { b: 'bad' } });
    driver.answer(driver.push(), { error: named });
    driver.serve({ [listenerType]: { b: 'good' } });
    expect(driver.next()).toBeUndefined();
  });

  it('does not remove what was refused from the beginning', () => {
    const driver = new Driver(variant, { [clusterType]: { a: '1', b: 'bad' } });
    driver.ask(clusterType);
    driver.answer(driver.push(), { error: 'Error adding/updating cluster(s) b: is bad' });
    driver.serve({ [clusterType]: { a: '2', b: 'bad' } });
    expect(driver.settle()).toEqual(['Cluster: a=2']);
  });

  it('of a response that also removed is followed by the removal, once', () => {
    const driver = new Driver(variant, { [listenerType]: { old: '1' } });
    driver.ask(listenerType);
    driver.settle();
    driver.serve({ [listenerType]: { b: 'bad' } });
    const push = driver.push();
    expect(show(push)).toBe('Listener: b=bad -old');
    driver.answer(push, { error: named });
    const removal = driver.push();
    expect(show(removal)).toBe('Listener: -old');
    driver.answer(removal, { error: 'no to everything' });
    expect(driver.next()).toBeUndefined();
  });

  it('of what was asked for only now leaves the proxy without it', () => {
    const driver = new Driver(variant, { [listenerType]: { a: '1', b: 'bad' } });
    driver.ask(listenerType, { names: ['a'], subscribe: ['a'] });
    driver.settle({ [listenerType]: ['a'] });
    driver.serve({ [listenerType]: { a: '1', b: 'bad' } });
    const names = ['a', 'b'];
    driver.ask(listenerType, { names, subscribe: ['b'], nonce: whole ? '1' : '' });
    driver.answer(driver.push(), { names, error: named });
    driver.serve({ [listenerType]: { a: '2', b: 'bad' } });
    expect(driver.settle({ [listenerType]: names })).toEqual(['Listener: a=2']);
  });

  it('is searched by halves where the text names nobody, so that one keeps back no other', () => {
    const driver = new Driver(variant, { [endpointType]: all('1') });
    driver.ask(endpointType, { names: letters, subscribe: letters });
    strict(driver, letters);
    driver.serve({ [endpointType]: { ...all('2'), g: 'bad' } });
    const lines = strict(driver, letters);
    expect(lines.map((line) => line.replace('ClusterLoadAssignment: ', ''))).toEqual([
      'a=2 b=2 c=2 d=2 e=2 f=2 g=bad h=2',
      'a=2 b=2 c=2 d=2',
      'e=2 f=2 g=bad h=2',
      'e=2 f=2',
      'g=bad h=2',
      'g=bad',
      'h=2',
    ]);
    driver.serve({ [endpointType]: { ...all('3'), g: 'bad' } });
    expect(strict(driver, letters)).toEqual(['ClusterLoadAssignment: a=3 b=3 c=3 d=3 e=3 f=3 h=3']);
  });

  it('costs a bounded search where everything is refused', () => {
    const many = Array.from({ length: 1000 }, (_, index) => `n${index}`);
    const driver = new Driver(variant, {
      [endpointType]: Object.fromEntries(many.map((name) => [name, 'bad'])),
    });
    driver.ask(endpointType, { names: many, subscribe: many });
    expect(strict(driver, many).length).toBeLessThanOrEqual(34);
    driver.serve({ [endpointType]: Object.fromEntries(many.map((name) => [name, 'bad'])) });
    expect(driver.next()).toBeUndefined();
  });

  it('of what Envoy takes for what it has when it comes again is of one, and what was there follows it', () => {
    const driver = new Driver(variant, { [extensionType]: all('1') });
    driver.ask(extensionType, { names: letters, subscribe: letters });
    const first = strict(driver, letters);
    expect(first).toHaveLength(whole ? 8 : 1);
    driver.serve({ [extensionType]: { ...all('1'), c: '2', g: 'bad', h: '2' } });
    const lines = ['c=2', 'g=bad', 'g=1', 'h=2'].map((line) => `TypedExtensionConfig: ${line}`);
    expect(strict(driver, letters)).toEqual(lines);
    driver.serve({ [extensionType]: { ...all('1'), c: '3', g: 'bad', h: '2' } });
    expect(strict(driver, letters)).toEqual(['TypedExtensionConfig: c=3']);
    driver.serve({ [extensionType]: { ...all('1'), c: '3', g: '4', h: '2' } });
    expect(strict(driver, letters)).toEqual(['TypedExtensionConfig: g=4']);
    // What was refused once is tried again, where something else held in between.
    driver.serve({ [extensionType]: { ...all('1'), c: '3', g: 'bad', h: '2' } });
    expect(strict(driver, letters)).toEqual(['TypedExtensionConfig: g=bad', 'TypedExtensionConfig: g=4']);
  });

  it('of all that a client gets of this at first is followed by each, of which it knows nothing any more', () => {
    const some = ['a', 'b', 'c'];
    const driver = new Driver(variant, { [extensionType]: { a: '1', b: 'bad', c: '1' } });
    driver.ask(extensionType, { names: some, subscribe: some });
    const alone = ['a=1', 'b=bad', 'c=1'];
    expect(strict(driver, some).map((line) => line.replace('TypedExtensionConfig: ', ''))).toEqual(
      whole ? alone : ['a=1 b=bad c=1', '-a -b -c', ...alone],
    );
    expect(driver.next()).toBeUndefined();
  });

  it('is not believed about names where Envoy cut its text', () => {
    const driver = new Driver(variant, { [listenerType]: { a: 'bad', b: 'bad' } });
    driver.ask(listenerType);
    const answered = driver.answer(driver.push(), {
      error: 'Error adding/updating listener(s) a: is bad\n...(truncated)',
    });
    expect(answered?.answers).toMatchObject([{ resources: new Map(answered?.answers[0]?.resources) }]);
    expect([...(answered?.answers[0]?.resources.keys() ?? [])]).toEqual(['a', 'b']);
  });
});
