import { describe, expect, test } from 'vitest';
import type { RootRotation } from '../../../../src/domain/ports/index.ts';
import { type Asked, decideRotation } from '../../../../src/domain/rotation/index.ts';
import { at, authorities, evidence, leaf, report, rotation } from './samples.ts';

const nobody = evidence([], []);
const somebody = evidence([leaf()], [report('only-old')]);
const canary = { selectors: ['5%'], upTo: 1, watch: 1, allowedFailures: 0, auto: false, watched: [] };
const force = (target: string): Partial<RootRotation> => ({
  words: [{ kind: 'force', target, by: 'operator:ann', reason: 'fire', at: at(1) }],
});

describe('what comes next', () => {
  const cases: [what: string, RootRotation, seen: typeof nobody, asked: Asked, expected: object][] = [
    [
      'a root is made first',
      rotation({ phase: 'prepare', newRoot: undefined }),
      somebody,
      'no',
      { kind: 'makeRoot' },
    ],
    [
      'a root that is there is handed out',
      rotation({ phase: 'prepare' }),
      somebody,
      'no',
      { to: 'distribute', effect: 'none' },
    ],
    [
      'a root that is there is given to a few first',
      rotation({ phase: 'prepare', canary }),
      somebody,
      'no',
      { to: 'canary', effect: 'none' },
    ],
    [
      'a canary that was cut off when all had been given it',
      rotation({ phase: 'canary', canary }),
      nobody,
      'no',
      { to: 'distribute', effect: 'widen' },
    ],
    ['nobody asked', rotation(), nobody, 'no', { kind: 'wait', gate: { open: true } }],
    ['asked, with evidence', rotation(), nobody, 'byEvidence', { to: 'drain', effect: 'activateNewRoot' }],
    ['asked, without', rotation(), somebody, 'byEvidence', { kind: 'wait', gate: { open: false } }],
    ['asked, by force', rotation(), somebody, 'byForce', { to: 'drain', effect: 'activateNewRoot' }],
    [
      'a force that was cut off is not there for the next order',
      rotation(force('distribute')),
      somebody,
      'byEvidence',
      { kind: 'wait' },
    ],
    [
      'retire by force, begun before',
      rotation({ phase: 'retire', ...force('retire') }),
      somebody,
      'no',
      { to: 'done' },
    ],
    [
      'force is of its phase',
      rotation({ phase: 'retire', ...force('drain') }),
      somebody,
      'no',
      { kind: 'wait' },
    ],
    [
      'drained',
      rotation({ phase: 'drain' }),
      nobody,
      'byEvidence',
      { to: 'retire', effect: 'retireOldRoot' },
    ],
    ['drained, and nobody asked', rotation({ phase: 'drain' }), nobody, 'no', { kind: 'wait' }],
    [
      'retire ends by itself',
      rotation({ phase: 'retire' }),
      nobody,
      'no',
      { to: 'done', effect: 'destroyOldKey' },
    ],
    ['retire waits', rotation({ phase: 'retire' }), somebody, 'no', { kind: 'wait' }],
    [
      'undo ends by itself',
      rotation({ phase: 'undo' }),
      somebody,
      'no',
      { to: 'aborted', effect: 'discardNewRoot' },
    ],
    [
      'undo waits for what the new root signed',
      rotation({ phase: 'undo' }),
      evidence([leaf({ issuer: 'issuer-new' })], []),
      'byEvidence',
      { kind: 'wait' },
    ],
  ];
  test.each(cases)('%s', (_, present, seen, asked, expected) => {
    expect(decideRotation(present, authorities, seen, asked)).toMatchObject(expected);
  });

  test('what was cut off after it took effect goes on, whoever is ready by now', () => {
    const changed = (root: string, state: 'active' | 'old' | 'retired') =>
      authorities.map((each) => (each.fingerprint === root ? { ...each, state } : each));
    expect(decideRotation(rotation(), changed('new', 'active'), somebody, 'no')).toMatchObject({
      to: 'drain',
    });
    const drain = rotation({ phase: 'drain' });
    const leaves = evidence([leaf({ issuer: 'issuer-old' })], []);
    expect(decideRotation(drain, changed('old', 'retired'), leaves, 'no')).toMatchObject({ to: 'retire' });
    expect(decideRotation(drain, changed('old', 'old'), leaves, 'no')).toMatchObject({ kind: 'wait' });
  });

  test('undo has the old root sign again before anything else', () => {
    const cutOff = authorities.map((each) =>
      each.fingerprint === 'old' ? { ...each, state: 'old' as const } : each,
    );
    expect(decideRotation(rotation({ phase: 'undo' }), cutOff, nobody, 'no')).toStrictEqual({
      kind: 'goBack',
    });
  });
});
