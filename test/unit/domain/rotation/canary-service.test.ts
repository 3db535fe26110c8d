import { describe, expect, test } from 'vitest';
import { at, leaf, report, resource } from './samples.ts';
import { ann, begun, World } from './world.ts';

const web = { proxyKey: 'web-1', spiffeId: 'spiffe://example.org/ns/shop/sa/web', svidSerial: '01' };
const db = { proxyKey: 'db-1', spiffeId: 'spiffe://example.org/ns/shop/sa/db', svidSerial: '02' };
const canary = { selectors: ['sa=web'], watch: 60_000 };

type Server = Awaited<ReturnType<World['start']>>;

/** Two proxies with certificates, each of which reports that it uses what it is given. */
async function populate(world: World, server: Server): Promise<void> {
  const { issuance } = world.store;
  for (const { svidSerial: serial, ...proxy } of [web, db]) {
    const issued = leaf({ ...proxy, serial, issuer: 'elsewhere', notAfter: at(9_000_000) });
    await issuance.recordIntent({ ...issued, tbsDigest: 'ab', notBefore: at(0) });
    await issuance.recordResult({ serial, state: 'issued', certificate: Buffer.from('x') });
  }
  await sayUsed(world, server);
}

async function sayUsed({ store, now }: World, { authority }: Server): Promise<void> {
  const none = { untrusted: 0, otherIdentity: 0, noCertificate: 0, connection: 0 };
  const counted = { downstream: none, upstream: none };
  for (const proxy of [web, db]) {
    const inUse = authority.bundleFor(proxy).version;
    await store.adoption.record(report(inUse, [resource({ inUse })], proxy));
    await store.adoption.recordHandshakes(proxy.proxyKey, {
      last: { startedAt: at(0), observedAt: now, ...counted },
      ...counted,
    });
  }
}

async function populated() {
  const given = await begun();
  await populate(given.world, given.server);
  const { rotation } = given.server;
  return { ...given, start: () => rotation.start({ ...ann, oldRoot: given.activeRoot, canary }) };
}

describe('a rotation with a canary', () => {
  test('gives the new root to the chosen alone, and after the watch to all', async () => {
    const { world, server, start } = await populated();
    const { rotation, authority } = server;
    const before = authority.bundle();
    const told: number[] = [];
    authority.onBundleChange(() => told.push(authority.bundleFor(web).authorities.length));
    expect((await start()).rotation?.phase).toBe('canary');
    expect(authority.bundle().version).toBe(before.version);
    expect(authority.issuer().bundle.version).toBe(before.version);
    expect(authority.bundleFor(db)).toStrictEqual(authority.bundle());
    expect(authority.bundleFor(web).authorities).toHaveLength(2);
    expect(authority.bundleFor(web).sequenceNumber).toBeGreaterThan(before.sequenceNumber);
    expect(told).toStrictEqual([2]);

    const go = () => rotation.continue({ ...ann, phase: 'canary', force: false });
    await expect(go()).rejects.toMatchObject({
      code: 'FailedPrecondition',
      message: expect.stringContaining('(web-1) is behind'),
    });
    await sayUsed(world, server);
    await rotation.tick();
    world.now = at(30);
    await sayUsed(world, server);
    await expect(go()).rejects.toMatchObject({
      message: expect.stringContaining('it is watched until 2030-01-01T00:01:00.000Z'),
    });
    world.now = at(60);
    await sayUsed(world, server);
    expect((await go()).rotation?.phase).toBe('distribute');
    expect(authority.bundle().authorities).toHaveLength(2);
    expect(authority.bundleFor(db)).toStrictEqual(authority.bundleFor(web));
    const actions = (await world.store.audit.find({ limit: 9 })).items.map(({ action }) => action);
    expect(actions.filter((action) => action.startsWith('rotation.')).toReversed()).toStrictEqual([
      'rotation.start',
      'rotation.prepare',
      'rotation.canary',
      'rotation.distribute',
    ]);
  });

  test('is stopped by a refusal, and says so on record once', async () => {
    const { world, server, start } = await populated();
    const { rotation, authority } = server;
    await start();
    const sent = authority.bundleFor(web).version;
    await world.store.adoption.record(report(sent, [resource({ sent, nackError: 'no' })], web));
    let told = 0;
    authority.onBundleChange(() => {
      told += 1;
    });
    await rotation.tick();
    await rotation.tick();
    // With the bundle of all it takes new CRLs, which come along.
    await authority.tick();
    expect([authority.bundleFor(web).authorities.length, told]).toStrictEqual([1, 1]);
    const another = { ...web, proxyKey: 'web-2' };
    expect(authority.bundleFor(another).authorities).toHaveLength(2);
    // It takes it back, and that changes nothing.
    await sayUsed(world, server);
    world.now = at(90);
    await sayUsed(world, server);
    const next = await world.start();
    await next.rotation.tick();
    await expect(next.rotation.continue({ ...ann, phase: 'canary', force: false })).rejects.toMatchObject({
      message: expect.stringContaining('(web-1) is refused: halted: envoy ROOTCA: refused the bundle: no'),
    });
    const events = (await world.store.audit.find({ action: 'rotation.halt', limit: 9 })).items;
    expect(events).toMatchObject([{ subject: 'server', details: { proxyKey: 'web-1' } }]);
    expect(authority.bundle().authorities).toHaveLength(1);
    const status = await next.rotation.abort({ ...ann, phase: 'canary' });
    expect(status.rotation?.phase).toBe('aborted');
    expect(await world.state()).toStrictEqual({ roots: ['active', 'retired'], keys: 1, phase: 'aborted' });
    const sequence = next.authority.bundleFor(web).sequenceNumber;
    expect(next.authority.bundleFor(web).authorities).toHaveLength(1);
    expect(sequence).toBeGreaterThan(authority.bundleFor(web).sequenceNumber);
  });

  test('goes on by itself where that was ordered', async () => {
    const { world, server, activeRoot } = await populated();
    await server.rotation.start({ ...ann, oldRoot: activeRoot, canary: { ...canary, auto: true } });
    await sayUsed(world, server);
    await server.rotation.tick();
    world.now = at(60);
    await sayUsed(world, server);
    await server.rotation.tick();
    expect((await server.rotation.status()).rotation?.phase).toBe('distribute');
  });

  test('is not begun for nobody', async () => {
    const { world, server, activeRoot } = await populated();
    const order = { ...ann, oldRoot: activeRoot, canary: { selectors: ['sa=nobody'] } };
    await expect(server.rotation.start(order)).rejects.toMatchObject({ code: 'InvalidArgument' });
    expect(await world.store.rotations.list(1)).toStrictEqual([]);
  });
});

/** What operators, agents and time do until the end, whatever has been done already. */
async function drive(world: World, end: 'done' | 'aborted'): Promise<void> {
  const server = await world.start();
  const { rotation, authority } = server;
  await rotation.tick();
  for (let step = 0; step < 12; step += 1) {
    const { rotation: present, activeRoot } = await rotation.status();
    // Nobody but the chosen ever has the new root before it is given to all.
    if (present?.phase === 'prepare' || present?.phase === 'canary')
      expect(authority.bundle().authorities).toHaveLength(1);
    if (present?.phase === end) return;
    if (!present) await rotation.start({ ...ann, oldRoot: activeRoot, canary });
    await sayUsed(world, server);
    await rotation.tick();
    if (present?.phase === 'canary' && end === 'aborted') {
      await rotation.abort({ ...ann, phase: 'canary' });
    } else if (present && present.phase !== 'prepare' && present.phase !== 'undo') {
      world.now = new Date(world.now.getTime() + 60_000);
      await sayUsed(world, server);
      await rotation
        .continue({ ...ann, phase: present.phase, force: false })
        .catch((error: { code?: string }) => {
          if (error.code !== 'FailedPrecondition' && error.code !== 'Aborted') throw error;
        });
    }
  }
}

test.each(['done', 'aborted'] as const)('ends %s wherever the process is killed', async (end) => {
  const fresh = async () => {
    const world = new World();
    await populate(world, await world.start());
    return world;
  };
  const counting = await fresh();
  counting.writesLeft = 1_000;
  await drive(counting, end);
  const writes = 1_000 - counting.writesLeft;
  expect(await counting.state()).toMatchObject({ phase: end });
  expect(writes).toBeGreaterThan(12);
  for (let killed = 1; killed < writes; killed += 1) {
    const world = await fresh();
    world.writesLeft = killed;
    await drive(world, end).catch(() => undefined);
    world.writesLeft = Number.POSITIVE_INFINITY;
    await drive(world, end);
    expect({ killed, ...(await world.state()) }).toStrictEqual({
      killed,
      roots: ['active', 'retired'],
      keys: 1,
      phase: end,
    });
  }
});
