import { describe, expect, test } from 'vitest';
import { destroyKeys, keysLeft } from '../../../../src/domain/rotation/old-keys.ts';
import { generateKeyPair } from '../../../../src/pki/index.ts';
import { at } from './samples.ts';
import { ann, begun } from './world.ts';

const made = { keyBackend: 'vault', keyId: 'root-0123456789abcdef' };
const imported = { keyBackend: 'vault', keyId: 'imported-0123456789abcdef' };
const said = { by: 'operator:ann', reason: 'it burnt', at: at(0) };

describe('the key of a root that has gone', () => {
  test.each([
    { what: 'made here', place: made, words: [], left: false },
    { what: 'made by others', place: imported, words: [], left: true },
    { what: 'with a name of its own', place: { ...made, keyId: 'root-2020' }, words: [], left: true },
    {
      what: 'made by others, asked for',
      place: imported,
      words: [{ ...said, kind: 'destroyKey' as const, target: imported.keyId }],
      left: false,
    },
    {
      what: 'made here, its home lost',
      place: made,
      words: [{ ...said, kind: 'leaveKey' as const, target: 'retire' }],
      left: true,
    },
    { what: 'elsewhere', place: { keyBackend: 'none', keyId: '' }, words: [], left: false },
    { what: 'of an upstream', place: { keyBackend: 'upstream', keyId: 'vault-pki' }, words: [], left: false },
  ])('$what: left is $left', ({ place, words, left }) => {
    expect(keysLeft({ words }, [place])).toHaveLength(left ? 1 : 0);
  });

  test('is destroyed at its home, and whoever cannot is told the way out', async () => {
    await expect(destroyKeys([made], [], { keysOf: async () => undefined })).rejects.toMatchObject({
      code: 'FailedPrecondition',
      message: expect.stringMatching(/root-0123456789abcdef in the vault.*formerKeys.*--leave-key/),
    });
    await destroyKeys([imported], [], { keysOf: () => Promise.reject(new Error('never asked')) });
  });
});

test('a key home that is lost for good does not hold the end up for ever', async () => {
  const { world, server, start } = await begun();
  const { rotation } = server;
  await start();
  await rotation.continue({ ...ann, phase: 'distribute', force: false });
  await expect(
    rotation.continue({ ...ann, phase: 'drain', force: false, leaveKey: true }),
  ).rejects.toMatchObject({ code: 'FailedPrecondition' });
  world.home = 'unknown';
  await expect(rotation.continue({ ...ann, phase: 'drain', force: false })).rejects.toMatchObject({
    message: expect.stringContaining('--leave-key'),
  });
  const waiting = await rotation.status();
  expect(waiting).toMatchObject({
    rotation: { phase: 'retire' },
    obstacle: expect.stringContaining('cannot be destroyed yet'),
  });
  const ended = await rotation.continue({ ...ann, phase: 'retire', force: false, leaveKey: true });
  expect(ended).toMatchObject({
    rotation: { phase: 'done' },
    obstacle: undefined,
    keysLeft: [{ backend: 'memory', why: expect.stringContaining('operator:ann') }],
  });
  expect((await world.state()).keys).toBe(2);
  const [event] = (await world.store.audit.find({ action: 'rotation.done', limit: 1 })).items;
  expect(event?.details['keysLeft']).toContain(ended.keysLeft[0]?.keyId);
  expect((await world.store.audit.find({ action: 'rotation.leave-key', limit: 2 })).items).toMatchObject([
    { subject: 'operator:ann', details: { target: 'retire' } },
  ]);
});

/** As if the active root had been taken over with a key that was in its home before. */
async function withImportedRoot() {
  const all = await begun();
  const [root] = (await all.world.store.authorities.list()).filter(({ kind }) => kind === 'root');
  if (!root) throw new Error('there is no root');
  const { privateKeyPkcs8 } = await generateKeyPair('ecdsa-p256');
  await all.world.keys.import('corporate-ca', privateKeyPkcs8);
  await all.world.store.authorities.save({ ...root, keyId: 'corporate-ca' });
  return all;
}

test.each([
  { asked: false, there: true },
  { asked: true, there: false },
])('a key that was not made here goes by word alone: asked $asked', async ({ asked, there }) => {
  const { world, server, start } = await withImportedRoot();
  const { rotation } = server;
  await start();
  await rotation.continue({ ...ann, phase: 'distribute', force: false });
  const ended = await rotation.continue({
    ...ann,
    phase: 'drain',
    force: false,
    destroyImportedKey: asked,
  });
  expect(ended.rotation?.phase).toBe('done');
  expect((await world.keys.get('corporate-ca')) !== undefined).toBe(there);
  expect(ended.keysLeft).toHaveLength(there ? 1 : 0);
});

test('there is no word for what is destroyed anyway', async () => {
  const { server, start } = await begun();
  await start();
  await expect(
    server.rotation.continue({ ...ann, phase: 'distribute', force: false, destroyImportedKey: true }),
  ).rejects.toMatchObject({ code: 'FailedPrecondition' });
});
