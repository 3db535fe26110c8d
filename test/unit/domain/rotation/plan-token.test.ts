import { describe, expect, test } from 'vitest';
import {
  type PlannedChange,
  planInputs,
  planToken,
  requireUnchanged,
} from '../../../../src/domain/rotation/plan-token.ts';
import { at, authorities } from './samples.ts';
import { ann, begun } from './world.ts';

const [oldRoot, newRoot, issuing] = authorities;
if (!oldRoot || !newRoot || !issuing) throw new Error('the samples have changed');

const change: PlannedChange = {
  authorities: [oldRoot, { ...issuing, state: 'active' }],
  oldRoot,
  newHome: 'vault',
  knowsOldHome: true,
  algorithm: 'ecdsa-p256',
  lifetime: 1000,
  crossSign: false,
  canary: undefined,
  leafTtl: 100,
  given: undefined,
};
const refusalOf = (changed: Partial<typeof change>) => () => {
  requireUnchanged(planToken(planInputs(change)), planInputs({ ...change, ...changed }));
};

describe('a plan', () => {
  test('stands while only time goes by', () => {
    const older = change.authorities.map((record) => ({ ...record, createdAt: at(1) }));
    expect(refusalOf({ authorities: older })).not.toThrow();
    // What has ended is out of account.
    expect(refusalOf({ authorities: [...older, { ...newRoot, state: 'retired' }] })).not.toThrow();
  });

  test.each([
    { what: 'another active root', changed: { oldRoot: newRoot }, named: 'the active root (by now: new' },
    {
      what: 'another root in the bundle',
      changed: { authorities: [...change.authorities, newRoot] },
      named: 'the roots and intermediates',
    },
    {
      what: 'another issuing authority',
      changed: { authorities: [oldRoot, { ...issuing, state: 'active' as const, fingerprint: 'other' }] },
      named: 'the issuing authorities (by now: other active)',
    },
    {
      what: 'a tainted issuing authority',
      changed: { authorities: [oldRoot, { ...issuing, state: 'active' as const, tainted: true }] },
      named: 'active tainted',
    },
    {
      what: 'another home',
      changed: { newHome: 'disk' },
      named: 'the home of the new root’s key (by now: disk)',
    },
    {
      what: 'another canary',
      changed: { canary: { selectors: ['5%', 'sa=web'], watch: 1000 } },
      named: 'who is given the new root first (by now: 5% sa=web, 1 s, 0 failures)',
    },
    { what: 'an old home lost', changed: { knowsOldHome: false }, named: 'not configured' },
    { what: 'another algorithm', changed: { algorithm: 'ed25519' }, named: '(by now: ed25519)' },
    {
      what: 'another lifetime',
      changed: { lifetime: 2000 },
      named: 'the lifetime of the new root (by now: 2 s)',
    },
    {
      what: 'a root of others',
      changed: { given: { from: 'upstream', fingerprint: 'ab'.repeat(32) } },
      named: 'where the new root comes from',
    },
    { what: 'longer certificates', changed: { leafTtl: 200 }, named: 'the lifetime of certificates' },
  ])('is refused with what has changed: $what', ({ changed, named }) => {
    expect(refusalOf(changed)).toThrow(
      expect.objectContaining({ code: 'Aborted', message: expect.stringContaining(named) }),
    );
  });

  test.each([
    '',
    'p1',
    'p2.AAAAAAAA',
    'p1.AAAA',
    `${planToken(planInputs(change))}.AAAAAAAA`,
    'x'.repeat(10_000),
  ])('%.20s is no token', (token) => {
    expect(() => {
      requireUnchanged(token, planInputs(change));
    }).toThrow(expect.objectContaining({ code: 'InvalidArgument' }));
  });
});

test('a start that names a plan is refused once it has changed, and nothing is begun', async () => {
  const { world, server, activeRoot } = await begun();
  const { rotation } = server;
  const { token, newRoot: planned } = await rotation.plan({ algorithm: 'ed25519' });
  expect(planned).toMatchObject({ algorithm: 'ed25519', keyHome: 'memory' });
  await expect(rotation.start({ ...ann, oldRoot: activeRoot, plan: token })).rejects.toMatchObject({
    code: 'Aborted',
    message: expect.stringContaining('the algorithm of the new root’s key (by now: ecdsa-p256)'),
  });
  expect((await world.state()).phase).toBeUndefined();
  const order = { ...ann, oldRoot: activeRoot, plan: token, algorithm: 'ed25519' as const };
  expect((await rotation.start(order)).rotation?.phase).toBe('distribute');
});

test('a plan warns of who cannot report, and of a home that is not configured', async () => {
  const { world, server } = await begun();
  world.home = 'unknown';
  expect((await server.rotation.plan()).warnings).toStrictEqual([
    expect.stringContaining('the configuration does not name'),
    expect.stringContaining('is lost when the server stops'),
  ]);
});
