import { expect, test, vi } from 'vitest';
import { createTaint } from '../../../../src/domain/authority/index.ts';
import { silentLog } from '../../../../src/kernel/index.ts';
import { ann, begun } from '../rotation/world.ts';

test('a taint in the midst of a tick is not lost, and another authority signs at the end of it', async () => {
  const { world, server } = await begun();
  const { authority } = server;
  const { store } = world;
  const taint = createTaint({
    store: store.authorities,
    audit: store.audit,
    authority,
    clock: { now: () => world.now, sleep: () => Promise.reject(new Error('nobody sleeps here')) },
    log: silentLog,
  });
  const first = authority.issuer().record;
  // Its successor is due: the tick writes the record of the first one, too.
  world.now = new Date(first.notAfter.getTime() - 0.1 * 86_400_000);
  const get = world.issuingKeys.get.bind(world.issuingKeys);
  let tainting: Promise<unknown> | undefined;
  const held = vi.spyOn(world.issuingKeys, 'get').mockImplementation(async (id) => {
    // The tick has read what is stored, and has not written yet; time enough for the taint, if nothing holds it back.
    tainting ??= taint({ ...ann, id: first.id });
    await new Promise((resolve) => setImmediate(resolve));
    return get(id);
  });
  await authority.tick();
  expect(held).toHaveBeenCalled();
  await tainting;
  const stored = (await store.authorities.list()).find(({ id }) => id === first.id);
  expect(stored).toMatchObject({ tainted: true, state: 'old' });
  expect(authority.issuer().record.id).not.toBe(first.id);

  const second = authority.issuer().record;
  const looking = authority.tick();
  await taint({ ...ann, id: second.id });
  expect(authority.issuer().record.id).not.toBe(second.id);
  expect(authority.isSuperseded(second.fingerprint)).toBe(true);
  await looking;
});

test('a taint whose successor cannot be made stays, is told, and is carried out when it can', async () => {
  const { world, server } = await begun();
  const { authority } = server;
  const { store } = world;
  const taint = createTaint({
    store: store.authorities,
    audit: store.audit,
    authority,
    clock: { now: () => world.now, sleep: () => Promise.reject(new Error('nobody sleeps here')) },
    log: silentLog,
  });
  const { record } = authority.issuer();
  world.home = 'away';
  const first = await taint({ ...ann, id: record.id });
  expect(first).toMatchObject({ record: { tainted: true }, waitsFor: 'the key home is away' });
  expect(authority.issuer().record.id).toBe(record.id);
  expect(authority.isSuperseded(record.fingerprint)).toBe(false);
  world.home = 'there';
  let told = 0;
  authority.onSuperseded(() => {
    told += 1;
  });
  await authority.tick();
  expect([told, authority.isSuperseded(record.fingerprint)]).toEqual([1, true]);
  expect(await taint({ ...ann, id: record.id })).toMatchObject({ waitsFor: undefined });
  expect((await store.audit.find({ action: 'authority.taint', limit: 9 })).items).toHaveLength(1);
});
