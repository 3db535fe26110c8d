import { describe, expect, test } from 'vitest';
import { renewalTime } from '../../../../src/agent/identity/renewal.ts';
import { type HeldLeaf, RenewalPlan } from '../../../../src/domain/renewal/plan.ts';
import { decideWindow } from '../../../../src/domain/renewal/window.ts';

const begin = Date.UTC(2030, 0, 1);
const minute = 60_000;
const hour = 60 * minute;
const at = (minutes: number) => new Date(begin + minutes * minute);
const leaf = (proxyKey: string, serial: string, issuedAt = 0, issuer = 'old'): HeldLeaf => ({
  proxyKey,
  serial,
  issuer,
  issuedAt: at(issuedAt),
  notAfter: at(issuedAt + 60),
});
const expected = (plan: RenewalPlan, from: number, to: number, except?: HeldLeaf) =>
  plan.expected(at(from).getTime(), at(to).getTime(), except);

describe('the plan of renewals', () => {
  test('expects a leaf at half life until its holder is told otherwise, and within the window then', () => {
    const plan = new RenewalPlan();
    const one = leaf('a', '01');
    plan.hold(one);
    expect(expected(plan, 29, 31)).toBeCloseTo(1);
    expect(plan.told(one)).toBeUndefined();
    plan.place(one, { start: at(34), end: at(36) });
    expect(plan.told(one)).toEqual({ start: at(34), end: at(36) });
    expect(expected(plan, 29, 31)).toBeCloseTo(0);
    expect(expected(plan, 34, 35)).toBeCloseTo(0.5);
    expect(expected(plan, 34, 36, one)).toBeCloseTo(0);
  });

  test('counts one leaf a holder: the newest', () => {
    const plan = new RenewalPlan();
    const [first, second] = [leaf('a', '01'), leaf('a', '02', 10, 'new')];
    plan.hold(first);
    plan.hold(second);
    plan.hold(first);
    expect([plan.heldUnder('old'), plan.heldUnder('new')]).toEqual([0, 1]);
    // Another client of the same pod, with the older leaf.
    plan.place(first, { start: at(20), end: at(21) });
    expect(plan.told(first)).toBeUndefined();
    expect(expected(plan, 0, 60)).toBeCloseTo(1);
    expect(plan.evenRate * hour).toBeCloseTo(2);
  });

  test('keeps a window that was told when the same leaf is seen again', () => {
    const plan = new RenewalPlan();
    const one = leaf('a', '01');
    plan.hold(one);
    plan.place(one, { start: at(34), end: at(36) });
    plan.hold(leaf('a', '01', 0.001));
    expect(plan.told(one)).toEqual({ start: at(34), end: at(36) });
  });

  test('forgets what has ended', () => {
    const plan = new RenewalPlan();
    plan.hold(leaf('a', '01'));
    plan.hold(leaf('b', '02', 20));
    expect(plan.lastUnder('old')).toEqual(at(80));
    plan.prune(at(60));
    expect(plan.heldUnder('old')).toBe(1);
    plan.prune(at(80));
    expect([plan.heldUnder('old'), plan.evenRate, expected(plan, 0, 100)]).toEqual([0, 0, 0]);
    expect(plan.lastUnder('old')).toBeUndefined();
  });
});

/** Renewals a minute of 10,000 holders of an hour's leaves, all issued in the first minute. @param next when one is renewed */
function simulate(minutes: number, next: (holder: number, now: number) => number): number[] {
  const counts = Array.from<number>({ length: minutes }).fill(0);
  const due = Array.from({ length: 10_000 }, (_, holder) => {
    const issuedAt = begin + (holder / 10_000) * minute;
    return { holder, at: next(holder, issuedAt) };
  });
  // By the minute is exact enough for who comes before whom.
  for (let now = 0; now < minutes; now++)
    for (const each of due)
      if (each.at < begin + (now + 1) * minute) {
        counts[now] = (counts[now] ?? 0) + 1;
        each.at = next(each.holder, each.at);
      }
  return counts;
}

/** Repeatable: the golden ratio's multiples fill [0, 1) evenly, in an order that shows no pattern of the leaves. */
function fractions(): () => number {
  let step = 0;
  return () => {
    step += 1;
    return (step * 0.618_033_988_749_895) % 1;
  };
}

test('10,000 leaves of one minute do not come back in one minute, nor in few, and are spread evenly soon after', () => {
  const plan = new RenewalPlan();
  const fraction = fractions();
  const byWindow = simulate(180, (holder, now) => {
    const held = { ...leaf(`${holder}`, `${now}`), issuedAt: new Date(now), notAfter: new Date(now + hour) };
    plan.hold(held);
    const window = decideWindow(held, {
      now: new Date(now),
      expected: (from, to) => plan.expected(from, to, held),
      evenRate: plan.evenRate,
      busy: false,
    });
    plan.place(held, window);
    return window.start.getTime() + (window.end.getTime() - window.start.getTime()) * fraction();
  });
  const alone = fractions();
  const byJitter = simulate(180, (_, now) =>
    renewalTime(new Date(now), new Date(now + hour), alone()).getTime(),
  );
  // An even fleet renews 10,000 leaves in each half hour.
  const even = 10_000 / 30;
  const busiest = (counts: readonly number[]) => Math.max(...counts) / even;
  expect(busiest(byWindow)).toBeLessThan(1.7);
  expect(busiest(byJitter)).toBeGreaterThan(4);
  // From the second generation on.
  expect(busiest(byWindow.slice(60))).toBeLessThan(1.1);
  expect(busiest(byJitter.slice(60))).toBeGreaterThan(2);
  // Not bought by renewing more often.
  const total = byWindow.reduce((sum, count) => sum + count, 0);
  expect(total).toBeLessThan(byJitter.reduce((sum, count) => sum + count, 0) * 1.1);
});
