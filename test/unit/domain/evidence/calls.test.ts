import { describe, expect, test } from 'vitest';
import { addEntry, noCalls } from '../../../../src/domain/evidence/calls.ts';
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
      { address: '10.0.0.7', first: at(3), last: at(9), count: 3 },
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
    {
      what: 'the end of what was told of',
      changes: { first: false, decision: 'denied' },
      callers: 0,
      denials: 1,
    },
  ] as const)('$what', ({ changes, callers, denials }) => {
    const evidence = after(changes);
    expect(evidence.callers).toHaveLength(callers);
    expect(evidence.denials?.count ?? 0).toBe(denials);
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
