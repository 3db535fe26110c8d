import { expect, it } from 'vitest';
import { waitFor } from '../../parts/index.ts';
import { newRequest, startTestServer } from '../../support/server.ts';

it('rotates the root by schedule: begins at its age, ends each phase by evidence, and forces nothing', async () => {
  // A root is back-dated by an hour, so that one of an hour has half of its life behind it when it is made.
  const rootAge = 0.5005;
  await using server = await startTestServer({
    authority: { root: { lifetime: '1h' }, issuing: { lifetime: '50m' } },
    certificate: { defaultTtl: '12s', maximumTtl: '12s', notBeforeSkew: '1s' },
    rotation: { root: { at: rootAge, continue: true } },
  });
  const { rotations, audit } = server.app.store;
  const before = server.app.authority.bundle().authorities;
  const token = (await server.token()).reveal();
  await server.create({ csr: (await newRequest()).csr }, { token });
  const issuedAt = Date.now();
  await waitFor(async () => (await rotations.current())?.phase === 'distribute');
  const begun = await rotations.current();
  expect(begun).toMatchObject({ startedBy: 'schedule', words: [] });

  // Its holder says nothing of what it uses: nobody gives his word for it, and so it is waited for until it has ended.
  const events = async (action: string) => (await audit.find({ action, limit: 10 })).items;
  const draining = await waitFor(async () => (await events('rotation.drain')).at(-1), { deadline: 40_000 });
  expect(draining).toMatchObject({ subject: 'schedule', reason: 'the evidence permits it' });
  expect(draining.at.getTime()).toBeGreaterThanOrEqual(issuedAt + 11_000);
  await waitFor(
    async () => (await rotations.list(10)).some(({ id, phase }) => id === begun?.id && phase === 'done'),
    { deadline: 30_000 },
  );
  expect(await events('rotation.force')).toStrictEqual([]);
  expect(server.app.authority.bundle().authorities).not.toStrictEqual(before);
});
