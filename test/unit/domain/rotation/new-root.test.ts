import { describe, expect, test } from 'vitest';
import type { TlsProgram } from '../../../../src/domain/ports/index.ts';
import { makeNewRoot } from '../../../../src/domain/rotation/effects.ts';
import { parseCertificate, parsePemCertificates, verifyIssuedBy } from '../../../../src/pki/index.ts';
import { at, leaf, report, rotation as rotationOf } from './samples.ts';
import { ann, begun, type World } from './world.ts';

const able: TlsProgram = { name: 'node', version: '24.21.0', library: 'OpenSSL 3.5.8' };

async function issueTo(world: World, issuer: string, bundleVersion: string) {
  const issued = leaf({ issuer, bundleVersion });
  await world.store.issuance.recordIntent({ ...issued, tbsDigest: 'ab', notBefore: at(0) });
  await world.store.issuance.recordResult({
    serial: issued.serial,
    state: 'issued',
    certificate: Buffer.from('x'),
  });
}

describe('a root of ML-DSA-65', () => {
  const toMlDsa = { ...ann, algorithm: 'ml-dsa-65' } as const;

  test('is refused where the experiment is not switched on, and by a home that makes no such keys', async () => {
    const { server, world, activeRoot } = await begun();
    const order = { ...toMlDsa, oldRoot: activeRoot };
    await expect(server.rotation.start(order)).rejects.toMatchObject({
      code: 'FailedPrecondition',
      message: expect.stringContaining('experimental.mlDsaAuthorities'),
    });
    world.mlDsaAuthorities = true;
    const classic = Object.assign(Object.create(world.keys), { algorithms: undefined, backend: 'pkcs11' });
    world.keys = classic;
    const { rotation } = await world.start();
    await expect(rotation.start(order)).rejects.toMatchObject({
      code: 'InvalidArgument',
      message: expect.stringContaining('the pkcs11 key home makes no keys of ml-dsa-65'),
    });
    expect((await rotation.status()).rotation).toBeUndefined();
  });

  test('is refused with the names of who cannot tell, before anything is made; by force it waits for them later', async () => {
    const { world, activeRoot } = await begun();
    world.mlDsaAuthorities = true;
    const { authority, rotation } = await world.start();
    const { record, bundle } = authority.issuer();
    await issueTo(world, record.fingerprint, bundle.version);
    await world.store.adoption.record(report(bundle.version));
    const order = { ...toMlDsa, oldRoot: activeRoot };
    await expect(rotation.start(order)).rejects.toMatchObject({
      code: 'FailedPrecondition',
      message: expect.stringMatching(/1 cannot verify .*sa\/web \(web-1\): its agent, of version 1/),
    });
    expect(await rotation.status()).toMatchObject({ rotation: undefined });
    expect(await world.state()).toMatchObject({ roots: ['active'], keys: 1 });

    const forced = await rotation.start({ ...order, force: true });
    expect(forced.rotation).toMatchObject({
      phase: 'distribute',
      words: [{ kind: 'force', target: 'start' }],
    });
    const { items } = await world.store.audit.find({ action: 'rotation.start', limit: 10 });
    expect(items[0]?.details).toMatchObject({
      algorithm: 'ml-dsa-65',
      forcedAgainst: 'spiffe://example.org/ns/shop/sa/web (web-1)',
    });
    // It has the bundle, and would refuse its peers all the same.
    await world.store.adoption.record(report(authority.bundle().version));
    const phase = 'distribute';
    await expect(rotation.continue({ ...ann, phase, force: false })).rejects.toMatchObject({
      message: expect.stringContaining('cannot verify ml-dsa-65'),
    });
    await world.store.adoption.record(report(authority.bundle().version, [], { agentProgram: able }));
    await rotation.continue({ ...ann, phase, force: false });
    const issuer = parseCertificate(authority.issuer().record.certificate);
    expect(issuer.publicKey.algorithm).toBe('ml-dsa-65');
  });
});

describe('a new root that the old one certifies', () => {
  const chain = ({ authority }: Awaited<ReturnType<World['start']>>) =>
    authority.issuer().chainPem.flatMap((pem) => parsePemCertificates(pem));

  test('is served with that certificate from drain on, until the old root leaves the bundle', async () => {
    const { world, server, activeRoot } = await begun();
    const old = server.authority.records().find(({ fingerprint }) => fingerprint === activeRoot);
    await server.rotation.start({ ...ann, oldRoot: activeRoot, crossSign: true });
    expect(chain(server)).toHaveLength(1);
    await server.rotation.continue({ ...ann, phase: 'distribute', force: false });
    // Also by the process that comes after.
    for (const present of [server, await world.start()]) {
      const [issuing, cross, ...more] = chain(present);
      expect(more).toStrictEqual([]);
      const parsed = parseCertificate(cross ?? Buffer.alloc(0));
      const certified = present.authority
        .records()
        .find(({ kind, state }) => kind === 'root' && state === 'active');
      const newRoot = parseCertificate(certified?.certificate ?? Buffer.alloc(0));
      const oldRoot = parseCertificate(old?.certificate ?? Buffer.alloc(0));
      expect(Buffer.from(parsed.subjectDer)).toStrictEqual(Buffer.from(newRoot.subjectDer));
      expect(parsed).toMatchObject({
        pathLen: 1,
        subjectKeyId: newRoot.subjectKeyId,
        authorityKeyId: oldRoot.subjectKeyId,
        uris: ['spiffe://example.org'],
      });
      expect(parsed.notAfter.getTime()).toBeLessThanOrEqual(oldRoot.notAfter.getTime());
      expect(verifyIssuedBy(parsed, oldRoot)).toBe(true);
      expect(verifyIssuedBy(parseCertificate(issuing ?? Buffer.alloc(0)), parsed)).toBe(true);
    }
    const after = await server.rotation.continue({ ...ann, phase: 'drain', force: false });
    expect(after.rotation?.phase).toBe('done');
    expect(chain(server)).toHaveLength(1);
  });

  test('is refused where the key of the old one is nowhere, before anything is made', async () => {
    const { world, server, activeRoot } = await begun();
    const root = (await world.store.authorities.list()).find(({ kind }) => kind === 'root');
    if (!root) throw new Error('no root');
    await world.store.authorities.save({ ...root, keyBackend: 'none', keyId: '' });
    await expect(
      server.rotation.start({ ...ann, oldRoot: activeRoot, crossSign: true }),
    ).rejects.toMatchObject({ code: 'FailedPrecondition', message: expect.stringContaining('--cross-sign') });
    expect((await server.rotation.status()).rotation).toBeUndefined();
  });

  test('is made without it once the old one has ended', async () => {
    const { world, activeRoot } = await begun();
    const ports = (now: Date) => ({
      trustDomain: 'example.org',
      store: world.store.authorities,
      newKeys: async () => world.keys,
      keysOf: async () => world.keys,
      given: () => Promise.reject(new Error('none is named')),
      backdate: 3_600_000,
      clock: { now: () => now, sleep: () => Promise.reject(new Error('nobody sleeps here')) },
    });
    const made = async (id: string, now: Date) =>
      makeNewRoot(rotationOf({ id, oldRoot: activeRoot, newRoot: undefined, crossSign: true }), ports(now));
    const old = world.store.authorities.list();
    const end = (await old).find(({ fingerprint }) => fingerprint === activeRoot)?.notAfter ?? at(0);
    expect((await made('aa', at(0))).intermediates).toHaveLength(1);
    expect((await made('bb', new Date(end.getTime() + 86_400_000))).intermediates).toStrictEqual([]);
  });

  test('is made once, wherever the process is killed', async () => {
    for (let killed = 1, ended = false; !ended; killed += 1) {
      const { world, server, activeRoot } = await begun();
      world.writesLeft = killed;
      ended = await server.rotation.start({ ...ann, oldRoot: activeRoot, crossSign: true }).then(
        () => world.writesLeft > 0,
        () => false,
      );
      world.writesLeft = Number.POSITIVE_INFINITY;
      const next = await world.start();
      await next.rotation.tick();
      const { rotation } = await next.rotation.status();
      // Cut off before it was on record: it is asked for again.
      if (!rotation) continue;
      await next.rotation.continue({ ...ann, phase: 'distribute', force: false });
      expect({ killed, chain: chain(next).length }).toStrictEqual({ killed, chain: 2 });
      await next.rotation.continue({ ...ann, phase: 'drain', force: false });
      expect(await world.state()).toStrictEqual({ roots: ['active', 'retired'], keys: 1, phase: 'done' });
      expect(chain(next)).toHaveLength(1);
    }
  });
});
