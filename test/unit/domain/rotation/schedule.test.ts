import { describe, expect, test } from 'vitest';
import { decideSchedule, onSchedule } from '../../../../src/domain/rotation/index.ts';
import { silentLog } from '../../../../src/kernel/index.ts';
import { at, authorities, leaf, report, rotation } from './samples.ts';
import { ann, begun } from './world.ts';

const [sample] = authorities;
if (!sample) throw new Error('the samples have changed');
const root = { ...sample, keyId: 'root-0123456789abcdef' };
const idle = { root, current: undefined, last: undefined };
const schedule = { at: 0.8, continue: true };

describe('the schedule', () => {
  // The root lives from -100 to 10 000.
  test.each([
    { what: 'a young root', state: idle, seconds: 7_979, order: undefined },
    { what: 'a root of that age', state: idle, seconds: 7_981, order: { kind: 'start', oldRoot: 'old' } },
    { what: 'a root that has ended', state: idle, seconds: 20_000, order: { kind: 'start', oldRoot: 'old' } },
    { what: 'no root', state: { ...idle, root: undefined }, seconds: 9_000, order: undefined },
    {
      what: 'a root of an upstream',
      state: { ...idle, root: { ...root, keyBackend: 'upstream' } },
      seconds: 9_000,
      order: undefined,
    },
    {
      what: 'an imported root',
      state: { ...idle, root: { ...root, keyId: 'imported-0123456789abcdef' } },
      seconds: 9_000,
      order: undefined,
    },
    {
      what: 'a root whose key is elsewhere',
      state: { ...idle, root: { ...root, keyBackend: 'none', keyId: '' } },
      seconds: 9_000,
      order: undefined,
    },
    {
      what: 'a root from whose rotation somebody went back',
      state: { ...idle, last: rotation({ phase: 'aborted' }) },
      seconds: 9_000,
      order: undefined,
    },
    {
      what: 'a root that came by a rotation',
      state: { ...idle, last: rotation({ phase: 'done', oldRoot: 'older' }) },
      seconds: 9_000,
      order: { kind: 'start', oldRoot: 'old' },
    },
    ...(['canary', 'distribute', 'drain'] as const).map((phase) => ({
      what: phase,
      state: { ...idle, current: rotation({ phase }) },
      seconds: 9_000,
      order: { kind: 'continue', phase },
    })),
    ...(['prepare', 'retire', 'undo'] as const).map((phase) => ({
      what: phase,
      state: { ...idle, current: rotation({ phase }) },
      seconds: 9_000,
      order: undefined,
    })),
  ])('of $what', ({ state, seconds, order }) => {
    expect(decideSchedule(state, schedule, at(seconds))).toStrictEqual(order);
    expect(decideSchedule(state, { at: undefined, continue: false }, at(seconds))).toBeUndefined();
  });

  test('begins and goes on by itself, on record as such, and waits for what an operator would wait for', async () => {
    const { world, server, activeRoot } = await begun();
    const { store } = world;
    const scheduled = onSchedule({
      schedule: { at: 0.5, continue: true },
      rotation: server.rotation,
      store,
      clock: { now: () => world.now, sleep: () => Promise.resolve() },
      log: silentLog,
    });
    await scheduled.tick();
    expect(await store.rotations.current()).toBeUndefined();
    const years = 10 * 365 * 86_400;
    world.now = at(0.51 * years);
    await server.authority.tick();
    const issued = leaf({
      issuer: server.authority.issuer().record.fingerprint,
      bundleVersion: server.authority.bundle().version,
      notAfter: at(0.51 * years + 100),
    });
    await store.issuance.recordIntent({ ...issued, tbsDigest: 'ab', notBefore: at(0) });
    await store.issuance.recordResult({ serial: '01', state: 'issued', certificate: Buffer.from('x') });
    await store.adoption.record(report(server.authority.bundle().version));
    for (let tick = 0; tick < 5; tick += 1) await scheduled.tick();
    expect(await store.rotations.current()).toMatchObject({
      phase: 'distribute',
      oldRoot: activeRoot,
      startedBy: 'schedule',
    });
    await store.adoption.record(report(server.authority.bundle().version));
    for (let tick = 0; tick < 5; tick += 1) await scheduled.tick();
    expect((await store.rotations.current())?.phase).toBe('drain');
    world.now = at(0.51 * years + 101);
    for (let tick = 0; tick < 5; tick += 1) await scheduled.tick();
    expect((await world.state()).phase).toBe('done');
    const events = (await store.audit.find({ limit: 100 })).items.filter(({ action }) =>
      ['rotation.start', 'rotation.drain', 'rotation.force'].includes(action),
    );
    expect(events.map(({ action, subject }) => [action, subject])).toStrictEqual([
      ['rotation.drain', 'schedule'],
      ['rotation.start', 'schedule'],
    ]);
  });

  test('gives the new root to its canary first, and begins none where that means nobody', async () => {
    const { world, server } = await begun();
    const { store } = world;
    const canary = { selectors: ['sa=web'], watch: 1000 };
    const scheduled = onSchedule({
      schedule: { at: 0.5, continue: true, canary },
      rotation: server.rotation,
      store,
      clock: { now: () => world.now, sleep: () => Promise.resolve() },
      log: silentLog,
    });
    const half = 5.1 * 365 * 86_400;
    world.now = at(half);
    await server.authority.tick();
    await expect(scheduled.tick()).rejects.toThrow('matches no live proxy');
    expect(await store.rotations.current()).toBeUndefined();
    const issued = leaf({ notAfter: at(half + 1000), bundleVersion: server.authority.bundle().version });
    await store.issuance.recordIntent({ ...issued, tbsDigest: 'ab', notBefore: at(0) });
    await store.issuance.recordResult({ serial: '01', state: 'issued', certificate: Buffer.from('x') });
    await store.adoption.record(report(server.authority.bundle().version));
    await scheduled.tick();
    expect(await store.rotations.current()).toMatchObject({
      phase: 'canary',
      canary: { ...canary, auto: false },
    });
    expect(server.authority.bundle().authorities).toHaveLength(1);
  });

  test('does not begin again what an operator went back from', async () => {
    const { world, server } = await begun();
    const scheduled = onSchedule({
      schedule: { at: 0.5, continue: false },
      rotation: server.rotation,
      store: world.store,
      clock: { now: () => world.now, sleep: () => Promise.resolve() },
      log: silentLog,
    });
    world.now = at(6 * 365 * 86_400);
    await scheduled.tick();
    expect((await world.store.rotations.current())?.phase).toBe('distribute');
    await scheduled.abort({ ...ann, phase: 'distribute' });
    await scheduled.tick();
    expect((await world.state()).phase).toBe('aborted');
  });
});
