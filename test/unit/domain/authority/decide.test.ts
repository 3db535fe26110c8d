import { describe, expect, it } from 'vitest';
import { bundleRoots, decideIssuing, jitterOf } from '../../../../src/domain/authority/index.ts';
import type { AuthorityRecord } from '../../../../src/domain/ports/index.ts';

const day = 86_400_000;
const start = new Date('2030-01-01T00:00:00Z');
const after = (days: number) => new Date(start.getTime() + days * day);
const policy = { prepareBelow: 0.5, activateBelow: 0.25 };

function slot(
  id: string,
  state: AuthorityRecord['state'],
  more: Partial<AuthorityRecord> = {},
): AuthorityRecord {
  return {
    id,
    kind: 'issuing',
    state,
    tainted: false,
    keyBackend: 'disk',
    keyId: id,
    certificate: new Uint8Array(),
    intermediates: [],
    fingerprint: id,
    rootFingerprint: 'root',
    notBefore: start,
    notAfter: after(8),
    createdAt: start,
    ...more,
  };
}

describe('authorities that were made at one moment', () => {
  /** Whether each of a thousand asks for its successor at so many days of its eight. */
  const asking = (days: number) =>
    Array.from({ length: 1000 }, (_, index) => slot(`issuing-${index}`, 'active')).filter(
      (each) => decideIssuing([each], 'root', { ...policy, jitter: jitterOf }, after(days)).length > 0,
    ).length;

  it('do not ask for their successors at one moment, and none later than configured', () => {
    expect(asking(3.59)).toBe(0);
    expect(asking(3.8)).toBeGreaterThan(400);
    expect(asking(3.8)).toBeLessThan(600);
    expect(asking(4.01)).toBe(1000);
  });

  it('hand over in the same order in which they asked, and none later than configured', () => {
    const next = slot('b', 'prepared', { notAfter: after(20) });
    const handedOver = (days: number) =>
      Array.from({ length: 1000 }, (_, index) => [slot(`issuing-${index}`, 'active'), next]).filter(
        (slots) => decideIssuing(slots, 'root', { ...policy, jitter: jitterOf }, after(days)).length > 0,
      ).length;
    expect(handedOver(5.59)).toBe(0);
    expect(handedOver(5.8)).toBeGreaterThan(400);
    expect(handedOver(6.01)).toBe(1000);
  });
});

describe('decideIssuing', () => {
  it.each([
    ['prepares the first one', [], 0, [{ kind: 'prepare' }]],
    ['activates the first one', [slot('a', 'prepared')], 0, [{ kind: 'activate', id: 'a' }]],
    ['leaves a young one alone', [slot('a', 'active')], 3.9, []],
    ['prepares the next at half the lifetime', [slot('a', 'active')], 4.1, [{ kind: 'prepare' }]],
    ['keeps the next waiting', [slot('a', 'active'), slot('b', 'prepared', { notAfter: after(12) })], 5, []],
    [
      'activates it when little is left',
      [slot('a', 'active'), slot('b', 'prepared', { notAfter: after(12) })],
      6.1,
      [{ kind: 'activate', id: 'b' }],
    ],
    [
      'retires what has ended, and goes on',
      [slot('a', 'old', { notAfter: after(1) }), slot('b', 'active')],
      2,
      [{ kind: 'retire', id: 'a' }],
    ],
    ['retires nothing twice', [slot('a', 'retired', { notAfter: after(1) }), slot('b', 'active')], 2, []],
    ['replaces a tainted one at once', [slot('a', 'active', { tainted: true })], 0, [{ kind: 'prepare' }]],
    [
      'does not replace one that was just made under a root that ends today, though most of its life is over',
      [slot('a', 'active', { createdAt: after(7.99) })],
      7.99,
      [],
    ],
    [
      'replaces one under another root at once',
      [slot('a', 'active', { rootFingerprint: 'former' }), slot('b', 'prepared')],
      0,
      [{ kind: 'activate', id: 'b' }],
    ],
    [
      'does not activate one that is prepared under another root',
      [slot('b', 'prepared', { rootFingerprint: 'former' })],
      0,
      [{ kind: 'prepare' }],
    ],
    [
      'goes back to one that signed under the root that signs again',
      [slot('a', 'active', { rootFingerprint: 'other' }), slot('b', 'old')],
      5,
      [{ kind: 'activate', id: 'b' }],
    ],
    [
      'does not go back to one of which little is left',
      [slot('a', 'active', { rootFingerprint: 'other' }), slot('b', 'old')],
      6.1,
      [{ kind: 'prepare' }],
    ],
    [
      'does not go back to a tainted one',
      [slot('a', 'active', { rootFingerprint: 'other' }), slot('b', 'old', { tainted: true })],
      1,
      [{ kind: 'prepare' }],
    ],
    ['does not go back while the active one is fit', [slot('a', 'active'), slot('b', 'old')], 1, []],
    [
      'recovers from a long sleep: all have ended',
      [slot('a', 'active'), slot('b', 'prepared')],
      9,
      [{ kind: 'retire', id: 'a' }, { kind: 'retire', id: 'b' }, { kind: 'prepare' }],
    ],
  ])('%s', (_name, slots, days, actions) => {
    expect(decideIssuing(slots, 'root', policy, after(days))).toEqual(actions);
  });
});

describe('bundleRoots', () => {
  it('holds prepared, active and old roots, not retired ones and no issuing authority', () => {
    const records = (['prepared', 'active', 'old', 'retired'] as const).map((state) =>
      slot(state, state, { kind: 'root' }),
    );
    expect(bundleRoots([...records, slot('i', 'active')]).map(({ id }) => id)).toEqual([
      'prepared',
      'active',
      'old',
    ]);
  });
});
