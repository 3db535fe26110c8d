import { describe, expect, test } from 'vitest';
import { at, leaf, report } from './samples.ts';
import { ann, begun, World } from './world.ts';

describe('a rotation', () => {
  test('goes through its phases, and the old key goes last', async () => {
    const { world, server, start, activeRoot } = await begun();
    const { rotation, authority } = server;
    expect((await start()).rotation?.phase).toBe('distribute');
    expect(authority.bundle().authorities).toHaveLength(2);
    expect(authority.issuer().record.rootFingerprint).toBe(activeRoot);
    const draining = await rotation.continue({ ...ann, phase: 'distribute', force: false });
    expect(draining).toMatchObject({ rotation: { phase: 'drain' }, gate: { open: true } });
    expect(authority.issuer().record.rootFingerprint).toBe(draining.rotation?.newRoot);
    expect(authority.bundle().authorities).toHaveLength(2);
    expect((await rotation.continue({ ...ann, phase: 'drain', force: false })).rotation?.phase).toBe('done');
    expect(authority.bundle().authorities).toHaveLength(1);
    expect(await world.state()).toStrictEqual({ roots: ['active', 'retired'], keys: 1, phase: 'done' });
  });

  test('names who is not ready, goes on when it is, and keeps the order of phases', async () => {
    const { world, server, start } = await begun();
    const { rotation, authority } = server;
    const before = authority.bundle().version;
    const { issuance, adoption } = world.store;
    const { record } = authority.issuer();
    const issued = leaf({ issuer: record.fingerprint, bundleVersion: before });
    await issuance.recordIntent({ ...issued, tbsDigest: 'ab', notBefore: at(0) });
    await issuance.recordResult({ serial: issued.serial, state: 'issued', certificate: Buffer.from('x') });
    await adoption.record(report(before));
    await start();
    await expect(rotation.continue({ ...ann, phase: 'distribute', force: false })).rejects.toMatchObject({
      code: 'FailedPrecondition',
      message: expect.stringContaining('spiffe://example.org/ns/shop/sa/web (web-1) is behind'),
    });
    await expect(rotation.continue({ ...ann, phase: 'drain', force: false })).rejects.toMatchObject({
      code: 'Aborted',
    });
    await adoption.record(report(authority.bundle().version));
    await rotation.continue({ ...ann, phase: 'distribute', force: false });
    await expect(rotation.continue({ ...ann, phase: 'drain', force: false })).rejects.toMatchObject({
      message: expect.stringContaining('until 2030-01-01T00:01:40.000Z'),
    });
    world.now = at(101);
    // Nobody is left: its certificate has ended.
    expect((await rotation.continue({ ...ann, phase: 'drain', force: false })).rotation?.phase).toBe('done');
  });

  test('is one at a time, and of the root that was seen', async () => {
    const { server, start, activeRoot } = await begun();
    await expect(server.rotation.start({ ...ann, oldRoot: 'another' })).rejects.toMatchObject({
      code: 'Aborted',
    });
    const [first, second] = await Promise.allSettled([
      start(),
      server.rotation.start({ ...ann, by: 'operator:bob', oldRoot: activeRoot }),
    ]);
    expect(first.status).toBe('fulfilled');
    expect(second).toMatchObject({
      status: 'rejected',
      reason: { code: 'FailedPrecondition', message: expect.stringContaining('operator:ann') },
    });
  });

  test('makes no root that ends before what it signs, and forces nothing that waits for no evidence', async () => {
    const { world, server, activeRoot, start } = await begun();
    const { rotation } = server;
    await expect(rotation.start({ ...ann, oldRoot: activeRoot, lifetime: 100_000 })).rejects.toMatchObject({
      code: 'InvalidArgument',
    });
    world.home = 'away';
    await expect(start()).rejects.toMatchObject({ code: 'Unavailable' });
    await expect(rotation.continue({ ...ann, phase: 'prepare', force: true })).rejects.toMatchObject({
      code: 'FailedPrecondition',
    });
    expect((await rotation.status()).rotation?.words).toStrictEqual([]);
  });

  test.each(['distribute', 'drain'] as const)('can be undone in %s', async (phase) => {
    const { world, server, start, activeRoot } = await begun();
    const { rotation, authority } = server;
    await start();
    if (phase === 'drain') await rotation.continue({ ...ann, phase: 'distribute', force: false });
    expect((await rotation.abort({ ...ann, phase })).rotation?.phase).toBe('aborted');
    expect(await world.state()).toStrictEqual({ roots: ['active', 'retired'], keys: 1, phase: 'aborted' });
    expect(authority.issuer().record.rootFingerprint).toBe(activeRoot);
    expect(authority.bundle().authorities).toHaveLength(1);
  });

  test('cannot be undone once the old root has left the bundle, though its key is there', async () => {
    const { world, server, start } = await begun();
    const { rotation, authority } = server;
    const { issuance, adoption } = world.store;
    const issued = leaf({ issuer: 'elsewhere', bundleVersion: authority.bundle().version });
    await issuance.recordIntent({ ...issued, tbsDigest: 'ab', notBefore: at(0) });
    await issuance.recordResult({ serial: issued.serial, state: 'issued', certificate: Buffer.from('x') });
    await start();
    await adoption.record(report(authority.bundle().version));
    for (const phase of ['distribute', 'drain'] as const)
      await rotation.continue({ ...ann, phase, force: false });
    const before = await world.state();
    expect(before).toMatchObject({ phase: 'retire', keys: 2 });
    await expect(rotation.abort({ ...ann, phase: 'retire' })).rejects.toMatchObject({
      code: 'FailedPrecondition',
      message: expect.stringContaining('the old root has left the bundle already'),
    });
    expect(await world.state()).toStrictEqual(before);
  });

  test('never makes a tainted root sign: the new one not by force, the old one not by an abort', async () => {
    const { world, server, start, activeRoot } = await begun();
    const { rotation, authority } = server;
    const { store } = world;
    const taint = async (root: string | undefined, state?: 'retired') => {
      const record = (await store.authorities.list()).find(({ fingerprint }) => fingerprint === root);
      if (record) await store.authorities.save({ ...record, tainted: true, ...(state && { state }) });
    };
    await start();
    // Tainted alone, and then revoked: it has left the bundle.
    for (const state of [undefined, 'retired'] as const) {
      await taint((await rotation.current())?.newRoot, state);
      for (const force of [false, true])
        await expect(rotation.continue({ ...ann, phase: 'distribute', force })).rejects.toMatchObject({
          code: 'FailedPrecondition',
          message: expect.stringMatching(/the new root, \S+, is tainted .*: citadel rotate abort/),
        });
      expect((await rotation.status()).activeRoot).toBe(activeRoot);
    }
    expect((await rotation.abort({ ...ann, phase: 'distribute' })).rotation?.phase).toBe('aborted');
    expect(await world.state()).toStrictEqual({ roots: ['active', 'retired'], keys: 1, phase: 'aborted' });

    world.now = at(1);
    await start();
    await rotation.continue({ ...ann, phase: 'distribute', force: false });
    await taint(activeRoot);
    await expect(rotation.abort({ ...ann, phase: 'drain' })).rejects.toMatchObject({
      code: 'FailedPrecondition',
      message: expect.stringContaining('the old root is tainted'),
    });
    expect(authority.issuer().record.rootFingerprint).not.toBe(activeRoot);
    expect((await rotation.continue({ ...ann, phase: 'drain', force: false })).rotation?.phase).toBe('done');
  });

  test('waits no more for a proxy that is excused by its key', async () => {
    const { world, server, start } = await begun();
    const { rotation, authority } = server;
    const issued = leaf({ issuer: 'elsewhere', bundleVersion: authority.bundle().version });
    await world.store.issuance.recordIntent({ ...issued, tbsDigest: 'ab', notBefore: at(0) });
    await world.store.issuance.recordResult({ serial: '01', state: 'issued', certificate: Buffer.from('x') });
    await start();
    await expect(rotation.excuse({ ...ann, proxyKey: 'other' })).rejects.toMatchObject({ code: 'NotFound' });
    expect((await rotation.excuse({ ...ann, proxyKey: 'web-1' })).gate?.open).toBe(true);
    const events = (await world.store.audit.find({ action: 'rotation.excuse', limit: 10 })).items;
    expect(events).toMatchObject([{ subject: 'operator:ann', details: { proxyKey: 'web-1' } }]);
  });
});

/** What operators do until the end, whatever has been done already. */
async function drive(world: World): Promise<void> {
  const { rotation } = await world.start();
  await rotation.tick();
  for (let step = 0; step < 6; step += 1) {
    const { rotation: present, activeRoot } = await rotation.status();
    if (present?.phase === 'done') return;
    if (!present) await rotation.start({ ...ann, oldRoot: activeRoot });
    else await rotation.continue({ ...ann, phase: present.phase, force: false });
  }
}

test('ends well wherever the process is killed: no key is orphaned, no root made twice', async () => {
  const counting = new World();
  await counting.start();
  counting.writesLeft = 1_000;
  await drive(counting);
  const writes = 1_000 - counting.writesLeft;
  expect(writes).toBeGreaterThan(12);
  for (let killed = 1; killed < writes; killed += 1) {
    const world = new World();
    await world.start();
    world.writesLeft = killed;
    await drive(world).catch(() => undefined);
    world.writesLeft = Number.POSITIVE_INFINITY;
    await drive(world);
    expect({ killed, ...(await world.state()) }).toStrictEqual({
      killed,
      roots: ['active', 'retired'],
      keys: 1,
      phase: 'done',
    });
  }
});
