import { describe, expect, test } from 'vitest';
import { composePlan, firstStep, planWorkload } from '../../../../src/domain/enforcement/plan.ts';
import { noCalls } from '../../../../src/domain/evidence/calls.ts';
import { composeSnapshot } from '../../../../src/domain/mesh/snapshot.ts';
import { indexMesh, viewOf } from '../../../../src/domain/mesh/view.ts';
import type { PeerAuthentication } from '../../../../src/domain/policy/index.ts';
import { evidence } from '../evidence/samples.ts';
import { content, peerAuthentication, settings, workload } from '../mesh/samples.ts';
import { at, run, step } from './samples.ts';

const now = at(7_200);
const window = 3_600_000;
const application = { address: '127.0.0.1', port: 1 };
const orders = workload('orders', {
  ports: [
    { port: 8080, protocol: 'http', application },
    { port: 9090, protocol: 'tcp', application },
  ],
});

function planned(
  policy: PeerAuthentication,
  known = evidence(),
  order?: ReturnType<typeof run>,
  of = orders,
) {
  const snapshot = composeSnapshot(
    settings,
    [content([of], [], [policy])],
    undefined,
    undefined,
    () => order !== undefined,
  );
  const view = viewOf(indexMesh(snapshot), of.id);
  if (!view) throw new Error('no view');
  return planWorkload({ view, evidence: known, order }, window, now);
}

const permissive = peerAuthentication('PERMISSIVE');
const called = evidence({
  ports: new Map([
    [
      8080,
      {
        ...noCalls,
        callers: [
          { address: '10.0.0.8', first: at(0), last: at(100), count: 1 },
          { address: '10.0.0.9', first: at(0), last: at(7_000), count: 1 },
        ],
      },
    ],
  ]),
});

describe('what an order would do of a workload', () => {
  test('nothing in the way', () => {
    expect(planned(permissive)).toMatchObject({
      verdict: 'ready',
      ports: [8080, 9090],
      disabled: [],
      callers: [],
    });
  });

  test('callers of the window would be refused', () => {
    expect(planned(permissive, called)).toMatchObject({ verdict: 'unsafe', callers: ['10.0.0.9'] });
  });

  test('nobody knows', () => {
    expect(planned(permissive, evidence({ counters: undefined }))).toMatchObject({
      verdict: 'unknown',
      reasons: ['its agent has not reported what its proxy has logged'],
    });
  });

  test.each([
    { mode: 'STRICT', verdict: 'already' },
    { mode: 'DISABLE', verdict: 'exempt' },
  ] as const)('policies say $mode: $verdict', ({ mode, verdict }) => {
    expect(planned(peerAuthentication(mode), called)).toMatchObject({ verdict, ports: [], callers: [] });
  });

  test('a port whose policy says DISABLE stays, and is named', () => {
    const one = peerAuthentication('UNSET', {
      selector: { app: 'orders' },
      portLevel: new Map([[9090, 'DISABLE']]),
    });
    expect(planned(one)).toMatchObject({ verdict: 'ready', ports: [8080], disabled: [9090] });
  });

  test('ports that no registry declares are among them', () => {
    const captured = { ...orders, proxy: 'capture' } as const;
    expect(planned(permissive, evidence(), undefined, captured).ports).toEqual([8080, 9090, 0]);
  });

  test.each([
    { state: 'done', of: 'done', verdict: 'already' },
    { state: 'halted', of: 'done', verdict: 'already' },
    { state: 'halted', of: 'observing', verdict: 'told' },
  ] as const)('strict by an order that is $state, its step $of: $verdict', ({ state, of, verdict }) => {
    const order = run([step('orders', { state: of })], { state });
    expect(planned(permissive, evidence(), order)).toMatchObject({ verdict, ports: [8080, 9090] });
  });
});

describe('a plan’s digest', () => {
  const digest = (...workloads: readonly ReturnType<typeof planned>[]) =>
    composePlan({ kind: 'mesh' }, workloads, []).digest;

  test('changes with what would be refused, not with when it called last', () => {
    const later = structuredClone(planned(permissive, called));
    expect(digest({ ...later, reasons: ['at another time'] })).toBe(digest(planned(permissive, called)));
    expect(digest({ ...later, callers: ['10.0.0.9', '10.0.0.10'] })).not.toBe(digest(later));
    expect(digest(planned(permissive))).not.toBe(digest(planned(permissive, called)));
  });
});

describe('how a run begins with a workload', () => {
  const blank = step('orders', { since: now });
  const plan = planned(permissive, called);

  test.each([
    { verdict: 'ready', takenOver: false, begins: { state: 'waiting', forced: false, accepted: [] } },
    {
      verdict: 'unsafe',
      takenOver: false,
      begins: { state: 'waiting', forced: true, accepted: ['10.0.0.9'] },
    },
    { verdict: 'unknown', takenOver: false, begins: { state: 'waiting', forced: true } },
    { verdict: 'told', takenOver: true, begins: { state: 'asked', askedAt: now } },
    { verdict: 'already', takenOver: true, begins: { state: 'done' } },
    { verdict: 'already', takenOver: false, begins: undefined },
    { verdict: 'exempt', takenOver: false, begins: undefined },
  ] as const)('$verdict, taken over $takenOver', ({ verdict, takenOver, begins }) => {
    const first = firstStep({ ...plan, verdict }, takenOver, blank);
    if (begins) expect(first).toMatchObject(begins);
    else expect(first).toBeUndefined();
  });
});
