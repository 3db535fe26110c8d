import { describe, expect, test } from 'vitest';
import { at, leaf } from './samples.ts';
import { ann, begun, type World } from './world.ts';

type Server = Awaited<ReturnType<World['start']>>;

/** Kills the process after each of the writes of `work` in turn, and starts the next one. */
async function afterEachKill(
  phase: 'distribute' | 'drain',
  work: (server: Server) => Promise<unknown>,
  check: (world: World, next: Server, oldRoot: string, killed: number) => Promise<void>,
): Promise<number> {
  for (let killed = 1; ; killed += 1) {
    const { world, server, start, activeRoot } = await begun();
    await start();
    if (phase === 'drain') await server.rotation.continue({ ...ann, phase: 'distribute', force: false });
    world.writesLeft = killed;
    const ended = await work(server).then(
      () => true,
      () => false,
    );
    if (ended && world.writesLeft > 0) return killed;
    world.writesLeft = Number.POSITIVE_INFINITY;
    await check(world, await world.start(), activeRoot, killed);
  }
}

/** Of both roots, in each phase. */
const rootStates: Readonly<Record<string, string>> = {
  distribute: 'active,prepared',
  drain: 'active,old',
  retire: 'active,retired',
  done: 'active,retired',
};

async function phaseOf({ rotation }: Server) {
  return (await rotation.status()).rotation?.phase ?? 'done';
}

/** The root that signs has its key, and what is handed out can be verified. */
async function expectSound(world: World, { authority }: Server, killed: number): Promise<void> {
  const { record, bundle } = authority.issuer();
  const roots = (await world.store.authorities.list()).filter(({ kind }) => kind === 'root');
  const active = roots.filter(({ state }) => state === 'active');
  expect({ killed, active: active.length }).toStrictEqual({ killed, active: 1 });
  const home = (await world.keys.list()).map(({ id }) => id);
  expect({ killed, home }).toStrictEqual({ killed, home: [active[0]?.keyId] });
  expect(record.rootFingerprint).toBe(active[0]?.fingerprint);
  expect(bundle.authorities.map((der) => Buffer.from(der))).toStrictEqual([
    Buffer.from(active[0]?.certificate ?? []),
  ]);
}

describe('killed at any write', () => {
  test.each(['distribute', 'drain'] as const)('an abort in %s goes back all the same', async (phase) => {
    const writes = await afterEachKill(
      phase,
      ({ rotation }) => rotation.abort({ ...ann, phase }),
      async (world, next, oldRoot, killed) => {
        await next.rotation.tick();
        const present = await phaseOf(next);
        // Cut off before it was on record: it is asked for again.
        if (present === phase) await next.rotation.abort({ ...ann, phase });
        expect({ killed, phase: await phaseOf(next) }).toStrictEqual({ killed, phase: 'aborted' });
        await expectSound(world, next, killed);
        expect(next.authority.issuer().record.rootFingerprint).toBe(oldRoot);
      },
    );
    expect(writes).toBeGreaterThan(3);
  });

  test.each(['distribute', 'drain'] as const)('what ends %s can be taken back, or goes on', async (phase) => {
    const writes = await afterEachKill(
      phase,
      ({ rotation }) => rotation.continue({ ...ann, phase, force: false }),
      async (world, next, _, killed) => {
        await next.rotation.tick();
        const present = await phaseOf(next);
        // What it says is what is so.
        const states = (await world.state()).roots.join();
        expect({ killed, states }).toStrictEqual({ killed, states: rootStates[present] });
        if (present === 'distribute' || present === 'drain')
          await next.rotation.abort({ ...ann, phase: present }).catch(async () => {
            await next.rotation.continue({ ...ann, phase: present, force: false });
          });
        await next.rotation.tick();
        expect(['done', 'aborted']).toContain(await phaseOf(next));
        await expectSound(world, next, killed);
      },
    );
    expect(writes).toBeGreaterThan(2);
  });

  test('a rotation aborted while its root was being made leaves neither root nor key', async () => {
    for (let killed = 1; killed < 6; killed += 1) {
      const { world, start } = await begun();
      world.writesLeft = killed;
      await start().catch(() => undefined);
      world.writesLeft = Number.POSITIVE_INFINITY;
      const next = await world.start();
      const present = (await next.rotation.status()).rotation?.phase;
      if (!present) continue;
      expect(['prepare', 'distribute']).toContain(present);
      await next.rotation.abort({ ...ann, phase: present });
      expect({ killed, phase: await phaseOf(next) }).toStrictEqual({ killed, phase: 'aborted' });
      await expectSound(world, next, killed);
    }
  });
});

describe('while the home of a key is away', () => {
  test('an abort goes back to the issuing authority that was, and does not discard what signs', async () => {
    const { world, server, start, activeRoot } = await begun();
    await start();
    await server.rotation.continue({ ...ann, phase: 'distribute', force: false });
    world.home = 'away';
    await server.rotation.abort({ ...ann, phase: 'drain' }).catch(() => undefined);
    expect(server.authority.issuer().record.rootFingerprint).toBe(activeRoot);
    world.home = 'there';
    await server.rotation.tick();
    expect(await phaseOf(server)).toBe('aborted');
    await expectSound(world, server, 0);
  });

  test('the old root stays while an issuing authority under it signs', async () => {
    const { world, server, start, activeRoot } = await begun();
    await start();
    world.home = 'away';
    await server.rotation.continue({ ...ann, phase: 'distribute', force: false });
    expect(server.authority.issuer().record.rootFingerprint).toBe(activeRoot);
    await expect(server.rotation.continue({ ...ann, phase: 'drain', force: false })).rejects.toMatchObject({
      message: expect.stringContaining('still signs'),
    });
    world.home = 'there';
    await server.authority.tick();
    expect((await server.rotation.continue({ ...ann, phase: 'drain', force: false })).rotation?.phase).toBe(
      'done',
    );
  });

  test('a rotation is not done while the configuration does not know the home of the old key', async () => {
    const { world, server, start } = await begun();
    await start();
    await server.rotation.continue({ ...ann, phase: 'distribute', force: false });
    world.home = 'unknown';
    await expect(server.rotation.continue({ ...ann, phase: 'drain', force: false })).rejects.toMatchObject({
      message: expect.stringContaining('formerKeys'),
    });
    expect(await phaseOf(server)).toBe('retire');
    world.home = 'there';
    await server.rotation.tick();
    expect(await phaseOf(server)).toBe('done');
    await expectSound(world, server, 0);
  });
});

test('a certificate in the making holds the root that leaves, however long its signing takes', async () => {
  const { world, server, start } = await begun();
  const { rotation, authority } = server;
  const { issuance } = world.store;
  await start();
  // Somebody has the issuing authority in hand, and signs when another one has taken its place.
  const making = leaf({ issuer: authority.issuer().record.fingerprint, notAfter: at(500) });
  await issuance.recordIntent({ ...making, tbsDigest: 'ab', notBefore: at(0) });
  await rotation.continue({ ...ann, phase: 'distribute', force: false });
  const go = () => rotation.continue({ ...ann, phase: 'drain', force: false });
  const refusal = { message: expect.stringContaining('1 certificates under the old root are valid') };
  await expect(go()).rejects.toMatchObject(refusal);
  await issuance.recordResult({ serial: making.serial, state: 'issued', certificate: Buffer.from('x') });
  await expect(go()).rejects.toMatchObject(refusal);
  world.now = at(501);
  expect((await go()).rotation?.phase).toBe('done');
});

test('an order by force is good for itself alone', async () => {
  const { world, server, start } = await begun();
  const { rotation, authority } = server;
  const issued = leaf({ issuer: authority.issuer().record.fingerprint });
  await world.store.issuance.recordIntent({ ...issued, tbsDigest: 'ab', notBefore: at(0) });
  await world.store.issuance.recordResult({ serial: '01', state: 'issued', certificate: Buffer.from('x') });
  await start();
  // Killed after its word is on record, before anything is done.
  world.writesLeft = 2;
  await rotation.continue({ ...ann, phase: 'distribute', force: true }).catch(() => undefined);
  world.writesLeft = Number.POSITIVE_INFINITY;
  const next = await world.start();
  await expect(next.rotation.continue({ ...ann, phase: 'distribute', force: false })).rejects.toMatchObject({
    code: 'FailedPrecondition',
  });
});
