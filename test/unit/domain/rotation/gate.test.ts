import { describe, expect, test } from 'vitest';
import type { LiveLeaf, ProxyReport, RotationWord } from '../../../../src/domain/ports/index.ts';
import { gateOf, liveProxies, type Standing } from '../../../../src/domain/rotation/index.ts';
import { at, evidence, leaf, report, resource, rotation } from './samples.ts';

type Case = [what: string, leaves: LiveLeaf[], reports: ProxyReport[], standing: Standing, open: boolean];

describe('distribute waits for the bundle with the new root', () => {
  const held = [leaf()];
  const cases: Case[] = [
    ['use is seen', held, [report('both', [resource({ accepted: 'both', inUse: 'both' })])], 'inUse', true],
    ['an agent alone uses it', held, [report('both')], 'inUse', true],
    [
      'an Envoy that has its certificate from the agent alone',
      held,
      [report('both', [resource({ name: 'default', kind: 'svid', inUse: '01' })])],
      'accepted',
      false,
    ],
    ['accepted is not used', held, [report('both', [resource({ accepted: 'both' })])], 'accepted', false],
    ['sent is not accepted', held, [report('both', [resource({ sent: 'both' })])], 'sent', false],
    [
      'what is accepted counts for nothing while another is seen in use',
      held,
      [report('both', [resource({ accepted: 'both', inUse: 'only-old' })])],
      'behind',
      false,
    ],
    [
      'refused',
      held,
      [report('both', [resource({ accepted: 'only-old', nackError: 'no' })])],
      'refused',
      false,
    ],
    [
      'one of its consumers is behind',
      held,
      [report('both', [resource({ inUse: 'both' }), resource({ name: 'ALL', inUse: 'only-old' })])],
      'behind',
      false,
    ],
    [
      'its agent itself is behind',
      held,
      [report('only-old', [resource({ inUse: 'both' })])],
      'behind',
      false,
    ],
    ['a bundle that nobody knows', held, [report('unknown')], 'behind', false],
    ['away, whatever it said', held, [report('both', [], { connected: false })], 'away', false],
    [
      'it cannot report, and was handed the bundle',
      [leaf({ bundleVersion: 'both' })],
      [],
      'handedOut',
      false,
    ],
    ['it cannot report, and was not', held, [], 'behind', false],
    [
      'it cannot report: its newest certificate counts',
      [leaf({ bundleVersion: 'both', recordedAt: at(5) }), leaf({ serial: '02' })],
      [],
      'handedOut',
      false,
    ],
  ];
  test.each(cases)('%s', (_, leaves, reports, standing, open) => {
    const gate = gateOf(rotation(), 'distribute', evidence(leaves, reports));
    expect(gate.standings.map((each) => each.standing)).toStrictEqual([standing]);
    expect(gate.open).toBe(open);
    expect(gate.stragglers.length + gate.unproven.length).toBe(open ? 0 : 1);
  });

  test('a proxy without a valid certificate is gone, whatever is remembered of it', () => {
    expect(gateOf(rotation(), 'distribute', evidence([], [report('only-old')]))).toMatchObject({
      open: true,
      standings: [],
    });
  });

  test('a pod speaks for itself, not for another one of its service account', () => {
    const two = [leaf(), leaf({ serial: '02', proxyKey: 'web-2' })];
    const gate = gateOf(rotation(), 'distribute', evidence(two, [report('both')]));
    expect(gate.open).toBe(false);
    expect(gate.stragglers.map(({ proxy }) => proxy.proxyKey)).toStrictEqual(['web-2']);
  });

  test('an excused proxy is seen and not waited for; another one is', () => {
    const excuse = (target: string): RotationWord => ({
      kind: 'excuse',
      target,
      by: 'operator:ann',
      reason: 'scrapped',
      at: at(2),
    });
    const waits = (words: RotationWord[]) =>
      gateOf(rotation({ words }), 'distribute', evidence([leaf()], []));
    expect(waits([excuse('web-1')])).toMatchObject({ open: true, standings: [{ standing: 'behind' }] });
    expect(waits([excuse('web-2')]).open).toBe(false);
    expect(waits([{ ...excuse('web-1'), kind: 'force' }]).open).toBe(false);
  });
});

describe('drain waits until nothing is under the old root', () => {
  const renewed = leaf({ serial: '02', issuer: 'issuer-new', recordedAt: at(5), notAfter: at(300) });
  const draining = rotation({ phase: 'drain' });

  test('a certificate that was replaced counts until it ends', () => {
    expect(gateOf(draining, 'drain', evidence([leaf(), renewed], []))).toMatchObject({
      open: false,
      stragglers: [],
      leaves: { count: 1, lastNotAfter: at(100) },
    });
    expect(gateOf(draining, 'drain', evidence([renewed], []))).toMatchObject({
      open: true,
      leaves: { count: 0 },
    });
  });

  test('names who has nothing newer, and who is seen with the old', () => {
    expect(gateOf(draining, 'drain', evidence([leaf()], [])).stragglers).toMatchObject([
      { proxy: { proxyKey: 'web-1' }, detail: expect.stringContaining('2030-01-01T00:01:40.000Z') },
    ]);
    const uses = (inUseIssuer: string) =>
      report('both', [resource({ name: 'default', kind: 'svid', inUse: '01', inUseIssuer })]);
    expect(gateOf(draining, 'drain', evidence([renewed], [uses('issuer-old')]))).toMatchObject({
      open: false,
      stragglers: [{ standing: 'behind' }],
    });
    expect(gateOf(draining, 'drain', evidence([renewed], [uses('issuer-new')])).open).toBe(true);
  });

  test('a certificate in the making counts, for as long as it would be valid', () => {
    const making = { ...evidence([], []), pending: [leaf({ notAfter: at(50) })] };
    expect(gateOf(draining, 'drain', making)).toMatchObject({
      open: false,
      leaves: { count: 1, lastNotAfter: at(50) },
    });
    expect(gateOf(rotation({ phase: 'undo' }), 'undo', making).open).toBe(true);
    const undone = { ...making, pending: [leaf({ issuer: 'issuer-new' })] };
    expect(gateOf(rotation({ phase: 'undo' }), 'undo', undone).open).toBe(false);
  });

  test('no excuse makes a valid certificate end', () => {
    const words: RotationWord[] = [
      { kind: 'excuse', target: 'web-1', by: 'operator:ann', reason: 'x', at: at(2) },
    ];
    expect(gateOf({ ...draining, words }, 'drain', evidence([leaf()], [])).open).toBe(false);
  });
});

test('drain waits for an issuing authority that still signs, until its own certificate ends', () => {
  const [old, ...others] = evidence([], []).authorities;
  const signing = (notAfter: Date) =>
    old ? [{ ...old, id: 'issuing-a', kind: 'issuing' as const, rootFingerprint: 'old', notAfter }] : [];
  const gate = (notAfter: Date) =>
    gateOf(rotation({ phase: 'drain' }), 'drain', {
      ...evidence([], []),
      authorities: [...others, ...signing(notAfter)],
    });
  expect(gate(at(3))).toMatchObject({ open: false, signing: ['issuing-a'] });
  expect(gate(at(2))).toMatchObject({ open: true, signing: [] });
});

test('retire waits for the bundle without the old root', () => {
  const retiring = rotation({ phase: 'retire' });
  const gate = (version: string) => gateOf(retiring, 'retire', evidence([leaf()], [report(version)]));
  expect(gate('both').open).toBe(false);
  expect(gate('unknown').open).toBe(false);
  expect(gate('only-new').open).toBe(true);
});

test('undo waits until nothing is under the new root', () => {
  const undoing = rotation({ phase: 'undo' });
  const gate = (issuer: string) => gateOf(undoing, 'undo', evidence([leaf({ issuer })], []));
  expect(gate('issuer-new').open).toBe(false);
  expect(gate('issuer-old').open).toBe(true);
});

test('a client beside an agent that reports counts by itself, once its certificate is old enough', () => {
  const other = leaf({ serial: '02', reported: false, recordedAt: at(1) });
  const keys = (seconds: number, reports: ProxyReport[]) =>
    liveProxies([leaf(), other], reports, at(seconds)).map(({ proxyKey, report: said, leaf: { serial } }) => [
      proxyKey,
      serial,
      said !== undefined,
    ]);
  const said = report('both');
  expect(keys(61, [said])).toStrictEqual([['web-1', '02', true]]);
  expect(keys(62, [said])).toStrictEqual([
    ['web-1', '01', true],
    ['web-1/other', '02', false],
  ]);
  // Where nobody reports at all they cannot be told apart.
  expect(keys(62, [])).toStrictEqual([['web-1', '02', false]]);
  const proxies = liveProxies([leaf(), other], [said], at(62));
  const seen = { ...evidence([], []), now: at(62), proxies };
  const gate = gateOf(rotation(), 'distribute', seen);
  expect(gate).toMatchObject({
    open: false,
    stragglers: [{ proxy: { proxyKey: 'web-1/other' }, standing: 'behind' }],
  });
});

test('whoever answers for a client that cannot report is told of what came before its newest certificate', () => {
  const leaves = [
    leaf({ serial: '01', notAfter: at(50) }),
    leaf({ serial: '03', bundleVersion: 'both', recordedAt: at(1) }),
    leaf({ serial: '02', notAfter: at(70) }),
  ];
  const detail = (valid: readonly LiveLeaf[]) =>
    gateOf(rotation(), 'distribute', evidence(valid, [])).unproven.map((each) => each.detail);
  expect(detail(leaves)).toStrictEqual([
    expect.stringContaining('came with another bundle: 2, the last valid until 2030-01-01T00:01:10.000Z'),
  ]);
  expect(detail(leaves.slice(1, 2))).toStrictEqual([expect.stringMatching(/cannot report use$/)]);
});

test('a proxy is known by its newest certificate', () => {
  const [proxy, ...more] = liveProxies([leaf(), leaf({ serial: '02', recordedAt: at(9) })], [], at(10));
  expect(proxy?.leaf.serial).toBe('02');
  expect(more).toStrictEqual([]);
});

describe('a store that was set back', () => {
  test.each(['distribute', 'drain', 'retire', 'undo'] as const)(
    'keeps %s from ending until the last certificate that it does not know has ended',
    (phase) => {
      const whole = evidence([], []);
      const present = rotation({ phase, newRoot: 'new' });
      const before = gateOf(present, phase, whole);
      const blind = gateOf(present, phase, { ...whole, unrecordedUntil: at(3) });
      expect(blind).toStrictEqual({ ...before, open: false, blindUntil: at(3) });
      expect(gateOf(present, phase, { ...whole, unrecordedUntil: at(2) })).toStrictEqual(before);
    },
  );
});
