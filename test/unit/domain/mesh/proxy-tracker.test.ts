import { describe, expect, test } from 'vitest';
import { ProxyTracker } from '../../../../src/domain/mesh/proxy-tracker.ts';
import { type DiscoveryResources, secretTypeUrl } from '../../../../src/domain/ports/index.ts';
import { systemClock } from '../../../../src/kernel/index.ts';
import { connected } from './samples.ts';

const type = 't';
type Versions = Readonly<Record<string, string>>;
const noLag = { isBehind: false, failure: undefined };

function wanting(versions: Versions): DiscoveryResources {
  const resources = Object.entries(versions).map(
    ([name, version]) => [name, { name, version, value: new Uint8Array() }] as const,
  );
  return new Map([[type, new Map(resources)]]);
}

/** A tracker whose time is the number of its answers. */
function track() {
  let answers = 0;
  const tracker = new ProxyTracker(connected(), 'w', { ...systemClock, now: () => new Date(answers) });
  const send = (wanted: Versions, sent: Versions, removed: readonly string[] = []) =>
    tracker.sent(type, new Map(Object.entries(sent)), removed, wanting(wanted));
  const answer = (versions: Versions, error?: string) => {
    answers += 1;
    tracker.answered({ typeUrl: type, resources: new Map(Object.entries(versions)), removed: [], error });
  };
  /** `wanted sent accepted@time error` by name; - for nothing. */
  const state = (wanted: Versions) =>
    Object.fromEntries(
      tracker
        .state(wanting(wanted), noLag)
        .resources.map(({ name, wanted: should, sent, accepted, acceptedAt, error }) => [
          name,
          [should, sent, accepted && `${accepted}@${acceptedAt?.getTime()}`, error]
            .map((each) => each ?? '-')
            .join(' '),
        ]),
    );
  return { send, answer, state };
}

describe('what is known of a proxy', () => {
  const all = { a: '1', b: '1' };

  test('is the same whether it was given all at once or one by one', () => {
    const [whole, single] = [track(), track()];
    whole.send(all, all);
    single.send(all, { a: '1' });
    single.send(all, { b: '1' });
    expect(whole.state(all)).toEqual({ a: '1 1 - -', b: '1 1 - -' });
    expect(single.state(all)).toEqual(whole.state(all));
    whole.answer(all);
    single.answer(all);
    expect(whole.state(all)).toEqual({ a: '1 1 1@1 -', b: '1 1 1@1 -' });
    expect(single.state(all)).toEqual(whole.state(all));
  });

  test('keeps of each resource when it was accepted', () => {
    const { send, answer, state } = track();
    send(all, all);
    answer(all);
    const next = { a: '2', b: '1' };
    send(next, { a: '2' });
    expect(state(next)).toEqual({ a: '2 2 1@1 -', b: '1 1 1@1 -' });
    answer({ a: '2' });
    expect(state(next)).toEqual({ a: '2 2 2@2 -', b: '1 1 1@1 -' });
    send(next, next);
    answer(next);
    expect(state(next)).toEqual({ a: '2 2 2@3 -', b: '1 1 1@3 -' });
    send(all, { a: '1' });
    answer({ a: '1' });
    expect(state(all)).toEqual({ a: '1 1 1@4 -', b: '1 1 1@3 -' });
  });

  test('forgets what is removed, and not what is still to be', () => {
    const { send, answer, state } = track();
    send(all, all);
    answer(all);
    const left = { b: '2' };
    send(left, left);
    answer(left);
    expect(state(left)).toEqual({ b: '2 2 2@2 -', a: '- 1 1@1 -' });
    send(left, {}, ['a']);
    expect(state(left)).toEqual({ b: '2 2 2@2 -' });
  });

  test('is nothing of secrets, which are only there to be asked for, until it asks', () => {
    const tracker = new ProxyTracker(connected(), 'w', systemClock);
    const [[, offered = new Map()] = []] = wanting({ ROOTCA: '1', ALL: '1' });
    const secrets = new Map([[secretTypeUrl, offered]]);
    expect(tracker.state(secrets, noLag).resources).toEqual([]);
    tracker.sent(secretTypeUrl, new Map([['ROOTCA', '1']]), [], secrets);
    expect(tracker.state(secrets, noLag).resources).toMatchObject([
      { name: 'ROOTCA', wanted: '1', sent: '1', accepted: undefined },
    ]);
  });

  test('keeps the last accepted beside a refusal, of one or of all', () => {
    const { send, answer, state } = track();
    send(all, all);
    answer(all);
    const next = { a: '2', b: '2' };
    send(next, next);
    answer({ b: '2' });
    answer({ a: '2' }, 'no');
    expect(state(next)).toEqual({ a: '2 2 1@1 no', b: '2 2 2@2 -' });
    send(all, all);
    answer(all);
    expect(state(all)).toEqual({ a: '1 1 1@4 -', b: '1 1 1@4 -' });
  });
});
