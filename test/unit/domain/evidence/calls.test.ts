import { describe, expect, test } from 'vitest';
import { addEntry, merged, noCalls } from '../../../../src/domain/evidence/calls.ts';
import type { AccessLogEntry } from '../../../../src/domain/ports/index.ts';
import { at, entry } from './samples.ts';

const after = (...entries: readonly Partial<AccessLogEntry>[]) =>
  entries.reduce((evidence, changes) => addEntry(evidence, entry(changes)), noCalls);

describe('callers without mutual TLS', () => {
  test('one an address, with its first and last call, whichever entry comes first', () => {
    const { callers } = after(
      { at: at(5) },
      { at: at(9) },
      { at: at(3) },
      { at: at(4), callerAddress: '10.0.0.8' },
    );
    expect(callers).toEqual([
      { address: '10.0.0.7', first: at(3), last: at(9), previous: at(9), count: 3 },
      { address: '10.0.0.8', first: at(4), last: at(4), count: 1 },
    ]);
  });

  test.each([
    { what: 'mutual TLS', changes: { transport: 'mtls', sampled: true }, callers: 0, denials: 0 },
    { what: 'the application’s own TLS', changes: { transport: 'other-tls' }, callers: 1, denials: 0 },
    { what: 'a refused connection', changes: { decision: 'denied' }, callers: 0, denials: 1 },
    {
      what: 'a failed handshake',
      changes: { transport: 'other-tls', decision: 'denied' },
      callers: 0,
      denials: 1,
    },
    { what: 'what goes on', changes: { first: false }, callers: 1, denials: 0 },
    {
      what: 'the end of what was told of',
      changes: { first: false, decision: 'denied' },
      callers: 0,
      denials: 1,
    },
    { what: 'what nothing took', changes: { decision: 'unserved' }, callers: 0, denials: 0 },
  ] as const)('$what', ({ changes, callers, denials }) => {
    const evidence = after(changes);
    expect(evidence.callers).toHaveLength(callers);
    expect(evidence.denials?.count ?? 0).toBe(denials);
  });

  test('refusals are kept of those that are watched for, by this server’s clock, and of no others', () => {
    const watch = { addresses: new Set(['10.0.0.7']), now: at(50) };
    const refused = { decision: 'denied', unproved: true, at: at(1) } as const;
    const entries: readonly Partial<AccessLogEntry>[] = [
      refused,
      { ...refused, callerAddress: '10.0.0.8' },
      // By a policy: strictness has nothing to do with it.
      { decision: 'denied', policy: 'shop/no' },
      { transport: 'mtls' },
      {},
    ];
    const add = (evidence: typeof noCalls, changes: Partial<AccessLogEntry>) =>
      addEntry(evidence, entry(changes), watch);
    const evidence = entries.reduce(add, noCalls);
    expect(evidence.refused).toEqual([{ address: '10.0.0.7', last: at(50), count: 1 }]);
    expect(add(evidence, refused).refused).toEqual([{ address: '10.0.0.7', last: at(50), count: 2 }]);
    expect(entries.reduce((before, changes) => addEntry(before, entry(changes)), noCalls).refused).toEqual(
      [],
    );
  });

  test('a denial names its policy and caller', () => {
    const denied = {
      decision: 'denied',
      transport: 'mtls',
      callerId: 'spiffe://a/b',
      policy: 'shop/no',
    } as const;
    expect(after(denied, { ...denied, reason: 'r', at: at(7) }).denials).toEqual({
      last: at(7),
      count: 2,
      caller: 'spiffe://a/b',
      transport: 'mtls',
      policy: 'shop/no',
      reason: 'r',
    });
  });

  test.each(['denied', 'unserved'] as const)('a call that was %s in the end was none', (decision) => {
    const [start, end] = [{ at: at(5) }, { decision, first: false, at: at(6) }];
    expect(after(start, end).callers).toEqual([]);
    expect(after({ at: at(2) }, start, end, start, end).callers).toMatchObject([
      { first: at(2), last: at(2), count: 1 },
    ]);
    // Another one's call stays, and so does that of one of whom nothing is known.
    const other = { callerAddress: '10.0.0.8', at: at(4) };
    expect(after(other, start, end, end).callers).toMatchObject([{ address: '10.0.0.8', count: 1 }]);
  });

  test('a call that goes on is one, whatever another of the same caller came to', () => {
    const going = { first: false, at: at(9) };
    const { callers } = after({ at: at(1) }, going, { at: at(10) }, { first: false, decision: 'denied' });
    expect(callers).toMatchObject([{ first: at(1), last: at(9), count: 1 }]);
  });

  test('of two ports that become one are those of both', () => {
    const a = after(
      { at: at(5) },
      { at: at(1), callerAddress: '10.0.0.8' },
      { decision: 'denied', at: at(3) },
    );
    const b = after({ at: at(2) }, { decision: 'denied', at: at(4), reason: 'r' });
    const both = merged(a, b);
    expect(both).toMatchObject({
      callers: [
        { address: '10.0.0.8', first: at(1), last: at(1), count: 1 },
        { address: '10.0.0.7', first: at(2), last: at(5), count: 2 },
      ],
      denials: { last: at(4), count: 2, reason: 'r' },
    });
    expect(merged(noCalls, a)).toEqual({ ...a, callers: a.callers.toSorted((x, y) => +x.last - +y.last) });
  });

  test('of two ports that become one are bounded too', () => {
    const many = (net: number) =>
      after(...Array.from({ length: 200 }, (_, n) => ({ callerAddress: `10.${net}.0.${n}`, at: at(net) })));
    const both = merged(many(1), many(2));
    expect(both.callers).toHaveLength(256);
    expect(both).toMatchObject({ more: 144, forgottenAt: at(1) });
  });

  test('are bounded: who has not called for longest is forgotten, and its calls are counted', () => {
    const many = Array.from({ length: 257 }, (_, index) => ({
      callerAddress: `10.1.0.${index}`,
      at: at(index),
    }));
    const evidence = after(many[0] ?? {}, ...many, { callerAddress: '10.1.0.1', at: at(900) });
    expect(evidence.callers).toHaveLength(256);
    expect(evidence).toMatchObject({ more: 2, forgottenAt: at(0) });
    expect(evidence.callers.at(-1)).toMatchObject({ address: '10.1.0.1', count: 2 });
  });
});
