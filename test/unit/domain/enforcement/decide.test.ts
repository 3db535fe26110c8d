import { describe, expect, test } from 'vitest';
import { decide } from '../../../../src/domain/enforcement/decide.ts';
import type { EnforcementRun, EnforcementStep } from '../../../../src/domain/enforcement/index.ts';
import { progressOf } from '../../../../src/domain/enforcement/progress.ts';
import type { Seen } from '../../../../src/domain/enforcement/seen.ts';
import { noCalls } from '../../../../src/domain/evidence/calls.ts';
import { counters, evidence } from '../evidence/samples.ts';
import { at, mode, run, seen, seenWorkload, step } from './samples.ts';

const now = at(7_200);
const orders = 'test/shop/orders';
const with_ = (workload: Parameters<typeof seenWorkload>[0]) =>
  seen({ workload: () => seenWorkload(workload) });
const calledAt = (last: number) =>
  new Map([
    [8080, { ...noCalls, callers: [{ address: '10.0.0.9', first: at(0), last: at(last), count: 1 }] }],
  ]);
const refusedAt = (last: number, address = '10.0.0.7') => ({
  refusals: () => [{ port: 8080, address, last: at(last), count: 1 }],
});

interface Case {
  readonly what: string;
  readonly of: Partial<EnforcementStep>;
  readonly run?: Partial<EnforcementRun>;
  readonly seen?: Seen;
  readonly does: object | undefined;
  readonly waits?: RegExp;
}

const draining: readonly Case[] = [
  { what: 'safe', of: {}, does: { kind: 'move', to: 'asked', known: ['10.0.0.7'] } },
  {
    what: 'a call within the window',
    of: {},
    seen: with_({ evidence: evidence({ ports: calledAt(7_000) }) }),
    does: undefined,
    waits: /^not before 2030-01-01T02:56:40Z: 10\.0\.0\.9 called/,
  },
  {
    what: 'a log that is complete only for less than the window',
    of: {},
    seen: with_({ evidence: evidence({ coverage: { since: at(7_000), reason: 'lost' } }) }),
    does: undefined,
    waits: /^not before 2030-01-01T02:56:40Z: its log is complete only since/,
  },
  {
    what: 'a call within the window, for longer than a window',
    of: { since: at(3_000) },
    seen: with_({ evidence: evidence({ ports: calledAt(7_000) }) }),
    does: { kind: 'halt', halt: { kind: 'unsafe', reverted: false } },
  },
  {
    what: 'nothing known for longer than a window',
    of: { since: at(3_000) },
    seen: with_({ evidence: evidence({ counters: undefined }) }),
    does: { kind: 'halt', halt: { kind: 'unknown' } },
  },
  {
    what: 'a long wait that another server began',
    of: { since: at(3_000) },
    seen: { ...with_({ evidence: evidence({ counters: undefined }) }), since: at(7_190) },
    does: undefined,
    waits: /has not reported/,
  },
  {
    what: 'a caller whose proxy does not know yet that it calls by mutual TLS',
    of: {},
    seen: seen({ notYetMutual: () => 'web has not accepted' }),
    does: undefined,
    waits: /^web has not accepted$/,
  },
  {
    what: 'a call within the window that the operator has overridden',
    of: { forced: true, accepted: ['10.0.0.9'] },
    seen: {
      ...with_({ evidence: evidence({ ports: calledAt(7_000) }) }),
      knownCallers: () => ['10.0.0.9', '10.0.0.7'],
    },
    does: { kind: 'move', to: 'asked', known: ['10.0.0.7'] },
  },
];

const asked: readonly Case[] = [
  { what: 'not told yet', of: {}, seen: with_({ modes: [mode({ wanted: 'PERMISSIVE' })] }), does: undefined },
  { what: 'not answered', of: {}, seen: with_({ modes: [mode({ state: 'pending' })] }), does: undefined },
  { what: 'away', of: {}, seen: with_({ modes: [mode({ state: 'away' })] }), does: undefined },
  { what: 'not in use', of: {}, seen: with_({ modes: [mode({ state: 'warming' })] }), does: undefined },
  {
    what: 'accepted, with what came before draining',
    of: {},
    seen: with_({ modes: [mode({ state: 'draining' })] }),
    does: { kind: 'move', to: 'observing' },
  },
  {
    what: 'a port whose policy says DISABLE',
    of: {},
    seen: with_({
      modes: [mode({ state: 'draining' }), mode({ port: 1, wanted: 'DISABLE', state: 'pending' })],
    }),
    does: { kind: 'move', to: 'observing' },
  },
  {
    what: 'one of two ports not answered',
    of: {},
    seen: with_({ modes: [mode(), mode({ port: 1, state: 'pending' })] }),
    does: undefined,
  },
  {
    what: 'refused by its proxy',
    of: {},
    seen: with_({ modes: [mode({ state: 'refused' })] }),
    does: { kind: 'halt', halt: { kind: 'unknown', reason: 'it is refused' } },
  },
  {
    what: 'away for too long',
    of: { since: at(7_100) },
    seen: with_({ modes: [mode({ state: 'away' })] }),
    does: { kind: 'halt', halt: { kind: 'unknown', reason: 'it is away' } },
  },
];

const heard = (confirmed: number, since = 0, changes = {}) =>
  with_({
    evidence: evidence({
      confirmedAt: at(confirmed),
      coverage: { since: at(since), reason: '3 entries of its log have been lost' },
    }),
    ...changes,
  });

const observing: readonly Case[] = [
  { what: 'before its time is over', of: { since: at(7_150) }, seen: heard(7_199), does: undefined },
  {
    what: 'its time over, and all of it known',
    of: { since: at(7_130) },
    seen: heard(7_190),
    does: { kind: 'move', to: 'settling' },
  },
  {
    what: 'its time over, and the end of it not known yet',
    of: { since: at(7_130) },
    seen: heard(7_189),
    does: undefined,
  },
  {
    what: 'silence',
    of: { since: at(7_000) },
    seen: heard(7_050),
    does: { kind: 'halt', halt: { kind: 'unknown', reason: /not known to have arrived/ } },
  },
  {
    what: 'silence of a proxy that is away',
    of: { since: at(7_000) },
    seen: heard(7_050, 0, { modes: [mode({ state: 'away' })] }),
    does: { kind: 'halt', halt: { kind: 'unknown', reason: /^it is away, and what it logged after/ } },
  },
  {
    what: 'a proxy that was not seen to log',
    of: { since: at(7_139) },
    seen: with_({ evidence: evidence({ confirmedAt: at(7_199), coverage: undefined }) }),
    does: { kind: 'halt', halt: { kind: 'unknown', reason: 'its proxy has not been seen to log' } },
  },
  {
    what: 'a proxy that was not seen to log yet',
    of: { since: at(7_140) },
    seen: with_({ evidence: evidence({ confirmedAt: at(7_200), coverage: undefined }) }),
    does: undefined,
  },
  {
    what: 'silence while this server was away',
    of: { since: at(7_000) },
    seen: { ...heard(7_050), since: at(7_195) },
    does: undefined,
  },
  {
    what: 'a loss',
    of: { since: at(7_130) },
    seen: heard(7_195, 7_140),
    does: { kind: 'again', reason: /3 entries of its log have been lost/ },
  },
  {
    what: 'a loss again and again',
    of: { since: at(7_130), losses: 3 },
    seen: heard(7_195, 7_140),
    does: { kind: 'halt', halt: { kind: 'unknown' } },
  },
  {
    what: 'no word at all, which the operator has overridden',
    of: { since: at(7_130), forced: true },
    seen: with_({ evidence: evidence({ confirmedAt: undefined, coverage: undefined }) }),
    does: { kind: 'move', to: 'settling' },
  },
  {
    what: 'gone from the registry',
    of: {},
    seen: seen({ workload: () => undefined }),
    does: { kind: 'leave', workload: orders },
  },
];

const drains = { modes: [mode({ state: 'draining' })] };
const settling: readonly Case[] = [
  {
    what: 'draining',
    of: { since: at(7_150) },
    seen: heard(7_199, 0, drains),
    does: undefined,
    waits: /draining/,
  },
  { what: 'drained', of: { since: at(7_150) }, seen: heard(7_199), does: { kind: 'drained' } },
  {
    what: 'another listener of the proxy draining, for longer than this one can',
    of: { since: at(6_599) },
    seen: heard(7_199, 0, drains),
    does: { kind: 'drained' },
  },
  {
    what: 'away for longer than it drains',
    of: { since: at(6_400) },
    seen: heard(7_199, 0, { modes: [mode({ state: 'away' })] }),
    does: { kind: 'halt', halt: { kind: 'unknown' } },
  },
  {
    what: 'drained, and those that were cut not heard of yet',
    of: { since: at(7_000), drainedAt: at(7_185) },
    seen: heard(7_194),
    does: undefined,
  },
  {
    what: 'drained for long enough',
    of: { since: at(7_000), drainedAt: at(7_185) },
    seen: heard(7_195),
    does: { kind: 'move', to: 'done' },
  },
  {
    what: 'a loss',
    of: { since: at(7_130) },
    seen: heard(7_195, 7_140),
    does: { kind: 'again' },
  },
];

describe.each([
  { state: 'draining', cases: draining },
  { state: 'asked', cases: asked },
  { state: 'observing', cases: observing },
  { state: 'settling', cases: settling },
] as const)('$state', ({ state, cases }) => {
  test.each(cases)('$what', ({ of, run: changes, seen: sees = seen(), does, waits }) => {
    const since = at(7_190);
    const only = step('orders', { since, askedAt: at(6_000), ...of, state });
    const whole = run([only], changes);
    const action = decide(whole, sees, now);
    if (does) expect(action).toMatchObject(matching(does));
    else expect(action).toBeUndefined();
    if (waits)
      expect(progressOf(whole, only, sees, now)).toMatchObject({ reason: expect.stringMatching(waits) });
  });
});

/** Patterns stand for texts that match them. */
function matching(value: object): object {
  return Object.fromEntries(
    Object.entries(value).map(([key, part]: [string, unknown]) => [
      key,
      part instanceof RegExp
        ? expect.stringMatching(part)
        : typeof part === 'object' && part !== null && !Array.isArray(part)
          ? expect.objectContaining(matching(part))
          : part,
    ]),
  );
}

describe('a refusal', () => {
  const strict = (changes: Partial<EnforcementStep> = {}) =>
    step('orders', {
      state: 'observing',
      since: at(7_190),
      askedAt: at(7_000),
      known: ['10.0.0.7'],
      ...changes,
    });
  const halts = (whole: EnforcementRun, sees: Seen) => decide(whole, sees, now);

  test.each(['asked', 'observing', 'settling', 'done'] as const)('of a known caller halts: %s', (state) => {
    const waits = step('web');
    expect(halts(run([strict({ state }), waits]), seen(refusedAt(7_100)))).toMatchObject({
      kind: 'halt',
      halt: {
        kind: 'refused',
        workload: orders,
        reason: expect.stringMatching(/^10\.0\.0\.7, which .* on port 8080 at 2030-01-01T01:58:20Z$/),
        reverted: false,
      },
    });
  });

  test.each([
    { what: 'of a stranger', sees: seen(refusedAt(7_100, '10.0.0.8')), changes: {} },
    { what: 'from before it was told', sees: seen(refusedAt(7_000)), changes: {} },
    { what: 'of nobody known', sees: seen(refusedAt(7_100)), changes: { known: [] } },
    { what: 'of one that was taken back', sees: seen(refusedAt(7_100)), changes: { state: 'reverted' } },
    {
      what: 'where policies refuse it without the order',
      sees: { ...with_({ modes: [mode({ policy: 'STRICT' })] }), ...refusedAt(7_100) },
      changes: {},
    },
  ] as const)('$what does not', ({ sees, changes }) => {
    expect(
      halts(run([strict(changes), step('web', { state: 'draining', since: now })]), sees),
    ).not.toMatchObject({
      kind: 'halt',
    });
  });

  test('of a port that is not declared counts, whatever the mode of the others there', () => {
    const refused = { refusals: () => [{ port: 0, address: '10.0.0.7', last: at(7_100), count: 1 }] };
    const sees = { ...with_({ modes: [mode({ port: 0, policy: 'STRICT' })] }), ...refused };
    expect(halts(run([strict(), step('web')]), sees)).toMatchObject({
      halt: { reason: expect.stringContaining('was refused on a port that is not declared at') },
    });
  });

  test.each([
    { until: at(7_200), reverted: true },
    { until: at(7_199), reverted: false },
  ])('takes back only while the operator lets it: $reverted', ({ until, reverted }) => {
    const action = halts(run([strict()], { revertUntil: until }), seen(refusedAt(7_100)));
    expect(action).toMatchObject({ kind: 'halt', halt: { reverted } });
  });

  test('comes before anything else', () => {
    const action = halts(run([strict({ since: at(7_000) })]), { ...heard(7_190), ...refusedAt(7_100) });
    expect(action).toMatchObject({ kind: 'halt' });
  });
});

describe('turns', () => {
  const states = (...of: readonly EnforcementStep['state'][]) =>
    run(of.map((state, index) => step(`w${index}`, { state, since: at(7_199), drainedAt: at(7_199) })));
  const drained = seen({ workload: () => seenWorkload({ evidence: evidence({ confirmedAt: at(7_199) }) }) });

  test.each([
    { of: ['waiting', 'waiting'], next: 'w0' },
    { of: ['settling', 'waiting'], next: 'w1' },
    { of: ['done', 'reverted', 'waiting', 'waiting'], next: 'w2' },
    { of: ['observing', 'waiting'], next: undefined },
    { of: ['waiting', 'observing'], next: undefined },
  ] as const)('$of: $next', ({ of, next }) => {
    expect(decide(states(...of), drained, now)).toEqual(
      next && { kind: 'move', workload: `test/shop/${next}`, to: 'draining' },
    );
  });

  test('are over when all are strict, or taken back', () => {
    expect(decide(states('done', 'reverted'), drained, now)).toEqual({ kind: 'finish' });
    expect(decide(states('done', 'settling'), drained, now)).toBeUndefined();
  });

  test.each(['halted', 'done', 'superseded', 'reverted'] as const)('none while it is %s', (state) => {
    expect(decide({ ...states('waiting'), state }, drained, now)).toBeUndefined();
  });
});

describe('newcomers', () => {
  const newcomers = [{ workload: 'test/shop/orders-2', group: 'shop/orders' }];

  test('wait their turn', () => {
    const whole = run([step('orders', { state: 'asked', since: now })]);
    const sees = { ...with_({ modes: [mode({ state: 'pending' })] }), newcomers: () => newcomers };
    expect(decide(whole, sees, now)).toMatchObject({ kind: 'join', state: 'waiting' });
  });

  test('are told at once beside those that proved strict, which know the same callers', () => {
    const proved = step('orders', { state: 'done', accepted: ['10.0.0.8'] });
    const sees = seen({ newcomers: () => newcomers, knownCallers: () => ['10.0.0.7', '10.0.0.8'] });
    expect(decide(run([proved]), sees, now)).toEqual({
      kind: 'join',
      newcomer: newcomers[0],
      state: 'asked',
      known: ['10.0.0.7'],
    });
    const other = step('web', { state: 'done' });
    expect(decide(run([other]), sees, now)).toMatchObject({ state: 'waiting' });
  });

  test('come before the end', () => {
    expect(
      decide(run([step('web', { state: 'done' })]), seen({ newcomers: () => newcomers }), now),
    ).toMatchObject({
      kind: 'join',
    });
  });
});

test('callers of after the order do not count where nothing is waited for', () => {
  const asks: Date[] = [];
  const sees = seen({
    knownCallers: (_, before) => {
      asks.push(before);
      return [];
    },
  });
  decide(run([step('orders', { state: 'draining' })]), sees, now);
  decide(run([step('orders', { state: 'draining', forced: true })]), sees, now);
  expect(asks).toEqual([now, at(0)]);
});

test('the drain time is that of the proxy', () => {
  const slow = evidence({ confirmedAt: at(7_199), counters: counters({ drainTime: 3_600_000 }) });
  const only = step('orders', { state: 'settling', since: at(6_000) });
  expect(decide(run([only]), with_({ evidence: slow, ...drains }), now)).toBeUndefined();
});
