import { describe, expect, test } from 'vitest';
import type { RootRotation } from '../../../../src/domain/ports/index.ts';
import { decideRotation } from '../../../../src/domain/rotation/index.ts';
import { at, authorities, evidence, leaf, report, rotation } from './samples.ts';

const nobody = evidence([], []);
const somebody = evidence([leaf()], [report('only-old')]);
const force = (target: string): Partial<RootRotation> => ({
  words: [{ kind: 'force', target, by: 'operator:ann', reason: 'fire', at: at(1) }],
});

describe('what comes next', () => {
  const cases: [what: string, RootRotation, seen: typeof nobody, asked: boolean, expected: object][] = [
    [
      'a root is made first',
      rotation({ phase: 'prepare', newRoot: undefined }),
      somebody,
      false,
      { kind: 'makeRoot' },
    ],
    [
      'a root that is there is handed out',
      rotation({ phase: 'prepare' }),
      somebody,
      false,
      { to: 'distribute', effect: 'none' },
    ],
    ['nobody asked', rotation(), nobody, false, { kind: 'wait', gate: { open: true } }],
    ['asked, with evidence', rotation(), nobody, true, { to: 'drain', effect: 'activateNewRoot' }],
    ['asked, without', rotation(), somebody, true, { kind: 'wait', gate: { open: false } }],
    [
      'asked, by force',
      rotation(force('distribute')),
      somebody,
      true,
      { to: 'drain', effect: 'activateNewRoot' },
    ],
    ['force alone asks for nothing', rotation(force('distribute')), somebody, false, { kind: 'wait' }],
    [
      'force is of its phase',
      rotation({ phase: 'drain', ...force('distribute') }),
      somebody,
      true,
      { kind: 'wait' },
    ],
    ['drained', rotation({ phase: 'drain' }), nobody, true, { to: 'retire', effect: 'retireOldRoot' }],
    ['drained, and nobody asked', rotation({ phase: 'drain' }), nobody, false, { kind: 'wait' }],
    [
      'retire ends by itself',
      rotation({ phase: 'retire' }),
      nobody,
      false,
      { to: 'done', effect: 'destroyOldKey' },
    ],
    ['retire waits', rotation({ phase: 'retire' }), somebody, false, { kind: 'wait' }],
    [
      'undo ends by itself',
      rotation({ phase: 'undo' }),
      somebody,
      false,
      { to: 'aborted', effect: 'discardNewRoot' },
    ],
    [
      'undo waits for what the new root signed',
      rotation({ phase: 'undo' }),
      evidence([leaf({ issuer: 'issuer-new' })], []),
      true,
      { kind: 'wait' },
    ],
  ];
  test.each(cases)('%s', (_, present, seen, asked, expected) => {
    expect(decideRotation(present, authorities, seen, asked)).toMatchObject(expected);
  });
});
