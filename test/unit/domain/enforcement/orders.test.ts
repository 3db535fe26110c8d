import { describe, expect, test } from 'vitest';
import { advance } from '../../../../src/domain/enforcement/advance.ts';
import type { EnforcementScope } from '../../../../src/domain/enforcement/index.ts';
import { StrictOrders } from '../../../../src/domain/enforcement/orders.ts';
import { revertRun } from '../../../../src/domain/enforcement/revert.ts';
import { containsScope, overlaps } from '../../../../src/domain/enforcement/scope.ts';
import { memoryStore } from '../../../fakes/memory-store.ts';
import { at, run, step } from './samples.ts';

const mesh: EnforcementScope = { kind: 'mesh' };
const shop: EnforcementScope = { kind: 'namespace', namespace: 'shop' };
const bank: EnforcementScope = { kind: 'namespace', namespace: 'bank' };
const orders: EnforcementScope = { kind: 'workload', namespace: 'shop', workload: 'test/shop/orders' };
const web: EnforcementScope = { kind: 'workload', namespace: 'shop', workload: 'test/shop/web' };
const member = (name: string, namespace = 'shop') => ({ id: `test/${namespace}/${name}`, namespace });

describe('scopes', () => {
  test.each([
    { outer: mesh, inner: shop, contains: true },
    { outer: mesh, inner: mesh, contains: true },
    { outer: shop, inner: mesh, contains: false, overlap: true },
    { outer: shop, inner: orders, contains: true },
    { outer: orders, inner: shop, contains: false, overlap: true },
    { outer: orders, inner: orders, contains: true },
    { outer: orders, inner: web, contains: false },
    { outer: shop, inner: bank, contains: false },
    { outer: bank, inner: orders, contains: false },
  ])('$outer and $inner', ({ outer, inner, contains, overlap = contains }) => {
    expect(containsScope(outer, inner)).toBe(contains);
    expect([overlaps(outer, inner), overlaps(inner, outer)]).toEqual([overlap, overlap]);
  });
});

describe('whom an order makes strict', () => {
  const steps = [
    step('orders', { state: 'asked' }),
    step('web', { state: 'draining' }),
    step('db', { state: 'reverted' }),
    step('cron', { state: 'done' }),
  ];
  const names = ['orders', 'web', 'db', 'cron', 'later'];
  const strictBy = async (whole: ReturnType<typeof run>) => {
    const held = new StrictOrders(memoryStore().enforcement);
    await held.save(whole);
    return names.filter((name) => held.holds(member(name)));
  };

  test.each([
    { state: 'running', strict: ['orders', 'cron'] },
    { state: 'halted', strict: ['orders', 'cron'] },
    { state: 'done', strict: names },
    { state: 'superseded', strict: [] },
    { state: 'reverted', strict: [] },
  ] as const)('$state: $strict', async ({ state, strict }) => {
    expect(await strictBy(run(steps, { state }))).toEqual(strict);
  });

  test('none outside of its scope', async () => {
    const held = new StrictOrders(memoryStore().enforcement);
    await held.save(run(steps, { state: 'done' }));
    expect(held.holds(member('orders', 'bank'))).toBe(false);
  });

  test('a part that was taken back is no more so, while it runs and after', async () => {
    expect(await strictBy(revertRun(run(steps), orders, at(9)))).toEqual(['cron']);
    const done = revertRun(run(steps, { state: 'done' }), orders, at(9));
    expect(done.state).toBe('done');
    expect(await strictBy(done)).toEqual(['web', 'db', 'cron', 'later']);
  });

  test.each([shop, mesh])('all of it taken back: none', async (scope) => {
    const whole = revertRun(run(steps, { state: 'done' }), scope, at(9));
    expect(whole).toMatchObject({ state: 'reverted', updatedAt: at(9) });
    expect(await strictBy(whole)).toEqual([]);
  });

  test('holds after a crash, from what was journalled', async () => {
    const { enforcement } = memoryStore();
    await new StrictOrders(enforcement).save(run(steps));
    const after = new StrictOrders(enforcement);
    await after.load(at(10));
    expect(names.filter((name) => after.holds(member(name)))).toEqual(['orders', 'cron']);
    expect(after.orderFor(member('orders'))?.id).toBe('a1');
    expect(after.orderFor(member('web'))).toBeUndefined();
  });

  test('is not so when the journal could not be written', async () => {
    const { enforcement } = memoryStore();
    const held = new StrictOrders({ ...enforcement, save: () => Promise.reject(new Error('disk full')) });
    await expect(held.save(run(steps))).rejects.toThrow('disk full');
    expect(held.holds(member('orders'))).toBe(false);
  });
});

describe('a run after an action', () => {
  const whole = run([step('orders', { state: 'draining' }), step('web')]);
  const workload = 'test/shop/orders';
  const first = (action: Parameters<typeof advance>[1], of = whole) => advance(of, action, at(9)).steps[0];

  test('a workload that is told is watched from then on', () => {
    expect(first({ kind: 'move', workload, to: 'asked', known: ['10.0.0.7'] })).toMatchObject({
      state: 'asked',
      since: at(9),
      askedAt: at(9),
      known: ['10.0.0.7'],
    });
  });

  test('what goes on keeps what is known, and when it was told', () => {
    const told = run([step('orders', { state: 'asked', askedAt: at(5), known: ['10.0.0.7'] })]);
    expect(first({ kind: 'move', workload, to: 'observing' }, told)).toMatchObject({
      state: 'observing',
      since: at(9),
      askedAt: at(5),
      known: ['10.0.0.7'],
    });
  });

  test('what is observed anew drains anew', () => {
    const settling = run([step('orders', { state: 'settling', drainedAt: at(5), losses: 1 })]);
    expect(first({ kind: 'again', workload, reason: 'lost' }, settling)).toMatchObject({
      state: 'observing',
      since: at(9),
      drainedAt: undefined,
      losses: 2,
    });
  });

  test.each([
    { reverted: false, state: 'draining' },
    { reverted: true, state: 'reverted' },
  ])('a halt takes back where it says so: $reverted', ({ reverted, state }) => {
    const halt = { kind: 'refused', workload, reason: 'why', reverted } as const;
    const after = advance(whole, { kind: 'halt', halt }, at(9));
    expect(after).toMatchObject({ state: 'halted', halt });
    expect(after.steps.map((each) => each.state)).toEqual([state, 'waiting']);
  });

  test('who comes and goes', () => {
    const newcomer = { workload: 'test/shop/new', group: 'shop/new' };
    const joined = advance(whole, { kind: 'join', newcomer, state: 'asked', known: ['10.0.0.7'] }, at(9));
    expect(joined.steps.at(-1)).toMatchObject({
      ...newcomer,
      state: 'asked',
      askedAt: at(9),
      known: ['10.0.0.7'],
    });
    const left = advance(joined, { kind: 'leave', workload }, at(10));
    expect(left.steps.map((each) => each.workload)).toEqual(['test/shop/web', 'test/shop/new']);
  });
});
