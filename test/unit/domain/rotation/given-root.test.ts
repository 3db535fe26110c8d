import { describe, expect, test } from 'vitest';
import { authorityRecord, givenByImport } from '../../../../src/domain/authority/index.ts';
import type { AuthorityRecord, AuthorityState } from '../../../../src/domain/ports/index.ts';
import {
  type FindGivenRoot,
  resolveWanted,
  takeGivenRoot,
} from '../../../../src/domain/rotation/given-root.ts';
import {
  createRootCertificate,
  generateKeyPair,
  localSigner,
  parseCertificate,
  verifyIssuedBy,
} from '../../../../src/pki/index.ts';
import { memoryStore } from '../../../fakes/memory-store.ts';
import { at } from './samples.ts';
import { ann, begun, type World } from './world.ts';

const trustDomain = 'example.org';

async function companyRoot(years = 10) {
  const { privateKey, privateKeyPkcs8 } = await generateKeyPair('ecdsa-p384');
  const certificate = await createRootCertificate({
    signer: localSigner(privateKey),
    subject: 'Root of the company',
    notBefore: new Date(at(0).getTime() - 86_400_000),
    notAfter: new Date(at(0).getTime() + years * 365 * 86_400_000),
    trustDomain,
  });
  return { certificate, privateKeyPkcs8, fingerprint: parseCertificate(certificate).fingerprint };
}

const underWay = { oldRoot: '', crossSign: false, canary: undefined };
const nobodyCrossSigns = {
  keysOf: () => Promise.reject(new Error('nobody asks for a key here')),
  trustDomain,
  clock: { now: () => at(0), sleep: () => Promise.resolve() },
};

/** @param records that taking it brings */
function givenAs(root: Uint8Array, records: readonly AuthorityRecord[] = []): FindGivenRoot {
  const nobody = () => Promise.reject(new Error('nobody asks for it here'));
  const upstream = { kind: 'none', signIssuingAuthority: nobody, root: nobody, check: nobody };
  const signer = { kind: 'upstream', upstream } as const;
  return async () => ({ root, signer, below: 'unknown', place: async () => records });
}

type CompanyRoot = Awaited<ReturnType<typeof companyRoot>>;

/** As the configuration names an existing authority. */
function name(world: World, { certificate, privateKeyPkcs8 }: CompanyRoot): void {
  const { store, keys, issuingKeys } = world;
  const clock = { now: () => world.now, sleep: () => Promise.reject(new Error('nobody sleeps here')) };
  world.given = () =>
    givenByImport({
      existing: {
        certificate,
        intermediates: [],
        roots: [certificate],
        privateKey: async () => privateKeyPkcs8,
      },
      trustDomain,
      serverId: 'server-1',
      store: store.authorities,
      rootKeys: async () => keys,
      issuingKeys,
      clock,
    });
}

describe('a rotation to a root that others have made', () => {
  test('killed at any write ends all the same: taken once, the old key gone, its own there', async () => {
    const root = await companyRoot();
    for (let killed = 1; ; killed += 1) {
      const { world, server, activeRoot } = await begun();
      name(world, root);
      world.writesLeft = killed;
      let { rotation } = server;
      const rotate = async () => {
        const present = (await rotation.status()).rotation?.phase;
        if (present === undefined) await rotation.start({ ...ann, oldRoot: activeRoot, from: 'existing' });
        else if (present === 'distribute' || present === 'drain')
          await rotation.continue({ ...ann, phase: present, force: false });
        else await rotation.tick();
        return present;
      };
      let whole = true;
      for (let step = 0; step < 8; step += 1) {
        const present = await rotate().catch(async () => {
          whole = false;
          world.writesLeft = Number.POSITIVE_INFINITY;
          ({ rotation } = await world.start());
          return undefined;
        });
        if (present === 'done') break;
      }
      const roots = (await world.store.authorities.list()).filter(({ kind }) => kind === 'root');
      const states = Object.fromEntries(roots.map(({ fingerprint, state }) => [fingerprint, state]));
      expect({ killed, states }).toStrictEqual({
        killed,
        states: { [activeRoot]: 'retired', [root.fingerprint]: 'active' },
      });
      expect((await world.keys.list()).map(({ id }) => id)).toStrictEqual([
        `imported-${root.fingerprint.slice(0, 16)}`,
      ]);
      if (!whole) continue;
      expect(killed).toBeGreaterThan(8);
      return;
    }
  });

  test('keeps to the root that was seen when it began', async () => {
    const { world, server, activeRoot } = await begun();
    name(world, await companyRoot());
    world.home = 'away';
    const { token } = await server.rotation.plan({ from: 'existing' });
    name(world, await companyRoot());
    await expect(
      server.rotation.start({ ...ann, oldRoot: activeRoot, from: 'existing', plan: token }),
    ).rejects.toMatchObject({
      code: 'Aborted',
      message: expect.stringContaining('where the new root comes from'),
    });
    const store = memoryStore().authorities;
    const given = { from: 'existing', fingerprint: 'ab'.repeat(32) } as const;
    await expect(
      takeGivenRoot(
        { ...underWay, given },
        { ...nobodyCrossSigns, store, given: givenAs((await companyRoot()).certificate) },
      ),
    ).rejects.toMatchObject({
      code: 'FailedPrecondition',
      message: expect.stringContaining('another root by now'),
    });
    expect(await store.list()).toEqual([]);
  });

  test('is certified by the old root where that is asked for and its key is here, and is not begun with otherwise', async () => {
    const root = await companyRoot();
    const { world, server, activeRoot } = await begun();
    name(world, root);
    const start = () =>
      server.rotation.start({ ...ann, oldRoot: activeRoot, from: 'existing', crossSign: true });
    world.home = 'unknown';
    await expect(start()).rejects.toMatchObject({
      code: 'FailedPrecondition',
      message: expect.stringContaining('its key is in no key home that the configuration names'),
    });
    expect((await server.rotation.status()).rotation).toBeUndefined();
    world.home = 'there';
    await start();
    const records = await world.store.authorities.list();
    const [old, company] = [activeRoot, root.fingerprint].map((fingerprint) =>
      parseCertificate(records.find((each) => each.fingerprint === fingerprint)?.certificate ?? ''),
    );
    const [cross, ...more] =
      records.find(({ fingerprint }) => fingerprint === root.fingerprint)?.intermediates ?? [];
    const parsed = parseCertificate(cross ?? '');
    expect(more).toStrictEqual([]);
    expect(old && verifyIssuedBy(parsed, old)).toBe(true);
    expect(parsed).toMatchObject({
      subject: company?.subject,
      subjectKeyId: company?.subjectKeyId,
      pathLen: 1,
    });
    expect(Buffer.from(company?.publicKey.spki ?? '').equals(parsed.publicKey.spki)).toBe(true);
  });

  test('is in the bundle of a few alone where there is a canary; an issuing authority is in none', async () => {
    const { certificate, fingerprint } = await companyRoot();
    const store = memoryStore().authorities;
    const shape = {
      state: 'prepared',
      keyBackend: 'disk',
      keyId: 'k',
      certificate,
      createdAt: at(0),
    } as const;
    const records = (['root', 'intermediate', 'issuing'] as const).map((kind) =>
      authorityRecord({ ...shape, kind }),
    );
    const given = givenAs(certificate, records);
    const canary = { selectors: [], upTo: 1, watch: 1, allowedFailures: 0, auto: false, watched: [] };
    await takeGivenRoot(
      { ...underWay, canary, given: { from: 'existing', fingerprint } },
      { ...nobodyCrossSigns, store, given },
    );
    const states = (await store.list()).map(({ kind, state }) => `${kind} ${state}`);
    expect(states.toSorted()).toEqual(['intermediate staged', 'issuing prepared', 'root staged']);
  });

  const stored: readonly (readonly [AuthorityState, boolean, RegExp | undefined])[] = [
    ['active', false, /nothing to rotate to/],
    ['staged', false, /in the bundle already/],
    ['prepared', false, /in the bundle already/],
    ['old', false, /in the bundle already/],
    ['retired', false, undefined],
    ['retired', true, /tainted/],
  ];
  test.each(stored)('where it is known as %s, tainted %s: %s', async (state, tainted, refusal) => {
    const { certificate, fingerprint } = await companyRoot();
    const store = memoryStore().authorities;
    const shape = { kind: 'root', keyBackend: 'none', keyId: '', certificate, createdAt: at(0) } as const;
    await store.save({ ...authorityRecord({ ...shape, state }), tainted });
    const resolved = resolveWanted(
      { from: 'existing' },
      { store, given: givenAs(certificate) },
      { now: at(0), leafTtl: 1000 },
    );
    if (refusal)
      await expect(resolved).rejects.toMatchObject({
        code: 'FailedPrecondition',
        message: expect.stringMatching(refusal),
      });
    else
      expect(await resolved).toMatchObject({
        algorithm: 'ecdsa-p384',
        given: { from: 'existing', fingerprint },
      });
  });

  test('is refused where it ends before the certificates under it', async () => {
    const { certificate } = await companyRoot(1);
    const ports = {
      store: memoryStore().authorities,
      given: givenAs(certificate),
    };
    const leafTtl = 366 * 86_400_000;
    await expect(resolveWanted({ from: 'upstream' }, ports, { now: at(0), leafTtl })).rejects.toMatchObject({
      code: 'FailedPrecondition',
      message: expect.stringContaining('must outlive'),
    });
  });
});
