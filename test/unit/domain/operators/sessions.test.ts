import { beforeEach, describe, expect, it } from 'vitest';
import { type SessionLimits, Sessions } from '../../../../src/domain/operators/index.ts';
import { Secret, systemEntropy } from '../../../../src/kernel/index.ts';

const limits: SessionLimits = { idle: 10, lifetime: 100, sessions: 4, perOwner: 2 };
let now = 0;
const clock = { now: () => new Date(now), sleep: () => Promise.resolve() };
let sessions: Sessions<string>;

beforeEach(() => {
  now = 1_000;
  sessions = new Sessions(limits, { clock, entropy: systemEntropy });
});

describe('Sessions', () => {
  it('are opened by their token and by nothing else', () => {
    const token = sessions.open('ada', 'value');
    expect(token.reveal()).toMatch(/^[\w-]{43}$/);
    expect(sessions.use(token)).toMatchObject({ value: 'value', endsAt: new Date(1_100) });
    expect(sessions.use(new Secret('A'.repeat(43)))).toBeUndefined();
    expect(sessions.open('ada', 'value').reveal()).not.toBe(token.reveal());
  });

  it('end when they are not used, and however they are used', () => {
    const idle = sessions.open('ada', 'idle');
    const used = sessions.open('ada', 'used');
    for (now = 1_009; now < 1_100; now += 9) expect(sessions.use(used)).toBeDefined();
    expect(sessions.use(idle)).toBeUndefined();
    now = 1_100;
    expect(sessions.use(used)).toBeUndefined();
    now = 1_050;
    expect(sessions.use(used)).toBeUndefined();
  });

  it('end when they are closed, once', () => {
    const token = sessions.open('ada', 'value');
    expect(sessions.close(token)).toBe('value');
    expect(sessions.use(token)).toBeUndefined();
    expect(sessions.close(token)).toBeUndefined();
  });

  it('are so many of one owner, of which the one unused for longest goes', () => {
    const [first, second] = [sessions.open('ada', '1'), sessions.open('ada', '2')];
    sessions.use(first);
    const third = sessions.open('ada', '3');
    expect([first, second, third].map((token) => sessions.use(token)?.value)).toEqual(['1', undefined, '3']);
  });

  it('are so many of all, and nobody is put out by somebody else', () => {
    const tokens = ['a', 'b', 'c', 'd'].map((owner) => sessions.open(owner, owner));
    expect(() => sessions.open('e', 'e')).toThrow('too many have signed in');
    expect(tokens.map((token) => sessions.use(token)?.value)).toEqual(['a', 'b', 'c', 'd']);
    now += 10;
    expect(sessions.open('e', 'e').reveal()).toBeDefined();
  });
});
