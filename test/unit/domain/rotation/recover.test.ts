import { describe, expect, test } from 'vitest';
import { at, leaf } from './samples.ts';
import { ann, begun, type World } from './world.ts';

const year = 365 * 86_400_000;

/** So much later that whatever was made at the beginning has ended. */
function later(world: World): void {
  world.now = new Date(world.now.getTime() + 11 * year);
}

/** A server that starts on it goes on to the end. */
async function expectRecovered(world: World, endedRoot: string, killed = 0): Promise<void> {
  const { authority, rotation } = await world.start();
  await rotation.tick();
  expect(authority.issuer().record.rootFingerprint).not.toBe(endedRoot);
  expect({ killed, ...(await world.state()) }).toStrictEqual({
    killed,
    roots: expect.arrayContaining(['active', 'retired']),
    keys: 1,
    phase: 'done',
  });
}

describe('a root that has ended', () => {
  test('keeps a server from starting, and says what to do', async () => {
    const { world } = await begun();
    later(world);
    await expect(world.start()).rejects.toThrow(/citadel rotate recover/);
  });

  test('is replaced, on the record', async () => {
    const { world, activeRoot } = await begun();
    later(world);
    const root = await world.recover();
    expect(root.notAfter > world.now).toBe(true);
    await expectRecovered(world, activeRoot);
    const { items } = await world.store.audit.find({ limit: 100 });
    expect(items.filter(({ subject }) => subject === ann.by).map(({ action }) => action)).toStrictEqual([
      'rotation.retire',
      'rotation.start',
    ]);
  });

  test('is replaced once, wherever the one who did it was cut off', async () => {
    for (let killed = 1; ; killed += 1) {
      const { world, activeRoot } = await begun();
      later(world);
      world.writesLeft = killed;
      const ended = await world.recover().then(
        () => true,
        () => false,
      );
      const whole = ended && world.writesLeft > 0;
      world.writesLeft = Number.POSITIVE_INFINITY;
      // Where the old root has left the bundle too, there is nothing left to recover: the server goes on.
      const left = (await world.store.authorities.list()).find(
        ({ fingerprint }) => fingerprint === activeRoot,
      );
      if (left?.state === 'retired') await expect(world.recover()).rejects.toThrow('is valid until');
      else await world.recover();
      await expectRecovered(world, activeRoot, killed);
      if (whole) {
        expect(killed).toBeGreaterThan(5);
        return;
      }
    }
  });

  test('gives way to a root made anew where that of the rotation under way is tainted', async () => {
    const { world, start, activeRoot } = await begun();
    world.now = new Date(world.now.getTime() + 9 * year);
    await world.start();
    const newRoot = (await start()).rotation?.newRoot;
    const made = (await world.store.authorities.list()).find(({ fingerprint }) => fingerprint === newRoot);
    if (!made) throw new Error('no new root');
    await world.store.authorities.save({ ...made, tainted: true });
    world.now = new Date(world.now.getTime() + 2 * year);
    expect((await world.recover()).fingerprint).not.toBe(newRoot);
    await expectRecovered(world, activeRoot);
  });

  test('gives way to the root of a rotation that was under way', async () => {
    const { world, start, activeRoot } = await begun();
    world.now = new Date(world.now.getTime() + 9 * year);
    await world.start();
    const { rotation } = await start();
    world.now = new Date(world.now.getTime() + 2 * year);
    expect((await world.recover()).fingerprint).toBe(rotation?.newRoot);
    await expectRecovered(world, activeRoot);
  });

  test('gives way to the root of a canary that was under way, for all', async () => {
    const { world, server, start, activeRoot } = await begun();
    world.now = new Date(world.now.getTime() + 9 * year);
    await world.start();
    const { rotation } = await start();
    // As if it had begun with a canary, of which nobody is left.
    const canary = {
      selectors: ['sa=web'],
      upTo: undefined,
      watch: 1,
      allowedFailures: 0,
      auto: false,
      watched: [],
    };
    if (rotation) await world.store.rotations.save({ ...rotation, phase: 'canary', canary });
    for (const record of await world.store.authorities.list())
      if (record.fingerprint === rotation?.newRoot)
        await world.store.authorities.save({ ...record, state: 'staged' });
    await server.authority.tick();
    expect(server.authority.bundle().authorities).toHaveLength(1);
    world.now = new Date(world.now.getTime() + 2 * year);
    expect((await world.recover()).fingerprint).toBe(rotation?.newRoot);
    await expectRecovered(world, activeRoot);
  });

  test('is not mistaken for one that is valid', async () => {
    const { world } = await begun();
    await expect(world.recover()).rejects.toThrow(/is valid until .*: rotate it/);
  });

  test.each(['distribute', 'drain'] as const)(
    'and the other root of a rotation that was in %s, when that has ended too: one key is left',
    async (phase) => {
      const { world, start, server, activeRoot } = await begun();
      await start();
      if (phase === 'drain') await server.rotation.continue({ ...ann, phase: 'distribute', force: false });
      later(world);
      await world.recover();
      await expectRecovered(world, activeRoot);
    },
  );

  test('takes along the root of a rotation on its way back: what is not wanted is not what it gives way to', async () => {
    const { world, start, activeRoot } = await begun();
    world.now = new Date(world.now.getTime() + 9 * year);
    const { authority, rotation } = await world.start();
    await start();
    await rotation.continue({ ...ann, phase: 'distribute', force: false });
    // Something under the new root is valid still, and keeps it in the bundle until after the old one's end.
    const unwanted = authority.issuer().record;
    const notAfter = new Date(world.now.getTime() + 3 * year);
    const held = leaf({ issuer: unwanted.fingerprint, notAfter, recordedAt: world.now });
    await world.store.issuance.recordIntent({ ...held, tbsDigest: 'ab', notBefore: at(0) });
    await world.store.issuance.recordResult({
      serial: held.serial,
      state: 'issued',
      certificate: Buffer.from('x'),
    });
    expect((await rotation.abort({ ...ann, phase: 'drain' })).rotation?.phase).toBe('undo');

    world.now = new Date(world.now.getTime() + 2 * year);
    expect((await world.recover()).fingerprint).not.toBe(unwanted.rootFingerprint);
    const next = await world.start();
    expect((await next.rotation.current())?.phase).toBe('retire');
    const bundle = next.authority.bundle();
    expect(bundle.authorities).toHaveLength(1);
    expect(next.authority.issuer().record.rootFingerprint).not.toBe(activeRoot);
    // Only the new one's and the ended one's, which goes when the last proxy has left it.
    expect(await world.keys.list()).toHaveLength(2);
  });
});
