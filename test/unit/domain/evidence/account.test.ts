import { describe, expect, test } from 'vitest';
import {
  type Account,
  broken,
  newAccount,
  received,
  refused,
  reported,
  settle,
} from '../../../../src/domain/evidence/account.ts';
import { at, counters } from './samples.ts';

const report = (account: Account, changes: Parameters<typeof counters>[0], arrived = 0, logging = true) =>
  reported(account, counters(changes), {
    arrived: () => arrived,
    logging,
    now: changes?.observedAt ?? at(100),
  });

describe('the account of what a proxy has logged', () => {
  const begun = report(newAccount, { observedAt: at(100) });

  test('begins when the proxy is known to log, and not before', () => {
    expect(report(newAccount, {}, 0, false).coverage).toBeUndefined();
    expect(begun.coverage?.since).toEqual(at(100));
    expect(begun.confirmedAt).toEqual(at(100));
  });

  test('is confirmed once what the proxy has handed over is here, before the report or after it', () => {
    const before = report(received(begun, 3, at(104)), { observedAt: at(105), flushed: 3 });
    expect(before.confirmedAt).toEqual(at(105));
    const ahead = report(begun, { observedAt: at(105), flushed: 3 });
    expect(ahead.confirmedAt).toEqual(at(100));
    expect(received(ahead, 3, at(106)).confirmedAt).toEqual(at(105));
  });

  test('what has not come after a while is lost, and the evidence begins anew', () => {
    const waiting = report(received(begun, 1, at(104)), { observedAt: at(105), flushed: 3 });
    expect(settle(waiting, at(115)).coverage?.since).toEqual(at(100));
    const lost = settle(waiting, at(116));
    expect(lost).toMatchObject({
      lost: 2,
      coverage: { since: at(116), reason: '2 entries of its log have been lost' },
    });
    expect(lost.confirmedAt).toEqual(at(105));
    // Counted from there: the next one that comes is not taken for one of the two.
    expect(report(received(lost, 1, at(117)), { observedAt: at(118), flushed: 4 }).confirmedAt).toEqual(
      at(118),
    );
  });

  test('a broken stream is in doubt until a later report shows that nothing was lost', () => {
    const doubtful = broken(begun, at(103));
    expect(report(doubtful, { observedAt: at(102) }).brokenAt).toEqual(at(103));
    expect(report(doubtful, { observedAt: at(105), flushed: 1 }).brokenAt).toEqual(at(103));
    expect(report(doubtful, { observedAt: at(105) })).toMatchObject({
      brokenAt: undefined,
      coverage: begun.coverage,
    });
  });

  test('entries that cannot be read have come, and begin it anew', () => {
    const after = refused(begun, 2, 'a port that is none', at(104));
    expect(after.coverage).toEqual({
      since: at(104),
      reason: '2 entries of its log could not be read: a port that is none',
    });
    expect(report(after, { observedAt: at(105), flushed: 2 }).confirmedAt).toEqual(at(105));
    expect(refused(newAccount, 1, 'x', at(104)).coverage).toBeUndefined();
  });

  test('entries that the proxy threw away begin it anew', () => {
    const dropped = report(begun, { observedAt: at(105), dropped: 2 });
    expect(dropped.coverage).toEqual({ since: at(105), reason: 'its proxy threw 2 entries away' });
    expect(report(dropped, { observedAt: at(110), dropped: 2 }).coverage?.since).toEqual(at(105));
  });

  test.each([
    { what: 'a later start', changes: { startedAt: at(104), observedAt: at(105), flushed: 1 } },
    { what: 'a counter that went back', changes: { observedAt: at(105), flushed: 1 } },
  ])('$what is another process, whose own streams count', ({ changes }) => {
    const before = report(received(begun, 5, at(101)), { observedAt: at(102), flushed: 5 });
    const after = report(before, changes, 1);
    expect(after).toMatchObject({
      received: 1,
      lost: 0,
      confirmedAt: at(105),
      coverage: { since: at(105), reason: 'its proxy was started again' },
    });
  });

  test('an agent that starts anew and works out a start some seconds off tells of the same process', () => {
    const before = report(received(begun, 5, at(101)), { observedAt: at(102), flushed: 5 });
    const after = report(before, { startedAt: at(2), observedAt: at(110), flushed: 5 });
    expect(after.coverage).toEqual(begun.coverage);
  });
});
