import { generateKeyPairSync, verify } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { KeyManager, SigningKey } from '../../src/domain/ports/index.ts';
import { Secret } from '../../src/kernel/index.ts';
import {
  createRootCertificate,
  generateKeyPair,
  type KeyAlgorithm,
  parseCertificate,
  verifyIssuedBy,
} from '../../src/pki/index.ts';

export interface KeyManagerCapabilities {
  readonly algorithms: readonly KeyAlgorithm[];
  /** A second manager on the same home sees the keys of the first. */
  readonly durable: boolean;
}

/** One home of keys; `open` opens another manager on it. */
export interface KeyHome extends AsyncDisposable {
  open(): Promise<KeyManager>;
}

const code = (expected: string) => expect.objectContaining({ name: 'CitadelError', code: expected });

function verifies(key: SigningKey, data: Uint8Array, signature: Uint8Array): boolean {
  const publicKey = { key: Buffer.from(key.publicKey), format: 'der', type: 'spki' } as const;
  const digest = { 'ecdsa-p384': 'sha384', ed25519: null, 'ml-dsa-65': null }[key.algorithm as string];
  return verify(digest === undefined ? 'sha256' : digest, data, publicKey, signature);
}

/** What every KeyManager must do, whatever its home. */
export function keyManagerContract(
  name: string,
  createHome: () => Promise<KeyHome>,
  capabilities: KeyManagerCapabilities,
): void {
  describe(`key manager contract: ${name}`, () => {
    let home: KeyHome;
    let keys: KeyManager;

    beforeEach(async () => {
      home = await createHome();
      keys = await home.open();
    });
    afterEach(async () => {
      await keys.close();
      await home[Symbol.asyncDispose]();
    });

    test.each(capabilities.algorithms)('makes a %s key that signs as X.509 wants it', async (algorithm) => {
      const key = await keys.generate('one', algorithm);
      expect(key).toMatchObject({ id: 'one', algorithm });
      for (const data of [new Uint8Array(0), Buffer.from('to be signed'), Buffer.alloc(100_000, 7)]) {
        const signature = await key.sign(data);
        expect(verifies(key, data, signature)).toBe(true);
        expect(verifies(key, Buffer.concat([data, Buffer.from('!')]), signature)).toBe(false);
      }
    });

    test.each(capabilities.algorithms)('signs a root certificate with a %s key', async (algorithm) => {
      const signer = await keys.generate('root', algorithm);
      const notBefore = new Date(Math.floor(Date.now() / 1000) * 1000);
      const notAfter = new Date(notBefore.getTime() + 86_400_000);
      const der = await createRootCertificate({
        signer,
        trustDomain: 'example.org',
        subject: 'contract',
        notBefore,
        notAfter,
      });
      const root = parseCertificate(der);
      expect(verifyIssuedBy(root, root)).toBe(true);
      expect(Buffer.from(root.publicKey.spki).equals(signer.publicKey)).toBe(true);
    });

    test('gives a key by its id and lists all', async () => {
      const [one, two] = [await keys.generate('a-1', 'ecdsa-p256'), await keys.generate('b', 'ecdsa-p256')];
      const got = await keys.get('a-1');
      expect(got).toMatchObject({ id: 'a-1', algorithm: 'ecdsa-p256' });
      expect(Buffer.from(got?.publicKey ?? []).equals(one.publicKey)).toBe(true);
      const data = Buffer.from('x');
      expect(verifies(one, data, (await got?.sign(data)) ?? new Uint8Array())).toBe(true);
      expect(verifies(two, data, await one.sign(data))).toBe(false);
      expect((await keys.list()).map(({ id }) => id).sort()).toEqual(['a-1', 'b']);
    });

    test('knows no key that was not made', async () => {
      expect(await keys.get('none')).toBeUndefined();
      expect(await keys.list()).toEqual([]);
    });

    test('refuses an id that is taken and keeps its key', async () => {
      const first = await keys.generate('taken', 'ecdsa-p256');
      await expect(keys.generate('taken', 'ecdsa-p256')).rejects.toEqual(code('AlreadyExists'));
      const kept = await keys.get('taken');
      expect(Buffer.from(kept?.publicKey ?? []).equals(first.publicKey)).toBe(true);
    });

    test('of two that make one id at once, one succeeds', async () => {
      const results = await Promise.allSettled(
        Array.from({ length: 4 }, () => keys.generate('race', 'ecdsa-p256')),
      );
      const made = results.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
      const refused = results.flatMap((result) => (result.status === 'rejected' ? [result.reason] : []));
      expect(made).toHaveLength(1);
      for (const reason of refused) expect(reason).toEqual(code('AlreadyExists'));
      const kept = await keys.get('race');
      expect(Buffer.from(kept?.publicKey ?? []).equals(made[0]?.publicKey ?? new Uint8Array())).toBe(true);
    });

    test.each(['', 'A', '-a', 'a_b', '../a', 'a/b', 'a.b', 'a'.repeat(64), 'a\0', 'ä'])(
      'refuses the id %j',
      async (id) => {
        await expect(keys.generate(id, 'ecdsa-p256')).rejects.toEqual(code('InvalidArgument'));
        await expect(keys.get(id)).rejects.toEqual(code('InvalidArgument'));
        await expect(keys.destroy(id)).rejects.toEqual(code('InvalidArgument'));
      },
    );

    test('takes an id of 63 characters', async () => {
      const id = 'k'.repeat(63);
      expect(await keys.generate(id, 'ecdsa-p256')).toMatchObject({ id });
    });

    test('refuses an algorithm that is not offered', async () => {
      // @ts-expect-error a configuration may hold any text
      const odd: KeyAlgorithm = 'dsa-1024';
      await expect(keys.generate('odd', odd)).rejects.toEqual(code('InvalidArgument'));
      expect(await keys.get('odd')).toBeUndefined();
    });

    test('destroys for good, and twice without complaint', async () => {
      const key = await keys.generate('gone', 'ecdsa-p256');
      await keys.destroy('gone');
      await keys.destroy('gone');
      expect(await keys.get('gone')).toBeUndefined();
      expect(await keys.list()).toEqual([]);
      await expect(key.sign(Buffer.from('x'))).rejects.toEqual(code('FailedPrecondition'));
      const again = await keys.generate('gone', 'ecdsa-p256');
      expect(Buffer.from(again.publicKey).equals(key.publicKey)).toBe(false);
    });

    test('signs many at once', async () => {
      const key = await keys.generate('busy', 'ecdsa-p256');
      const inputs = Array.from({ length: 64 }, (_, index) => Buffer.from(`message ${index}`));
      const signatures = await Promise.all(inputs.map((data) => key.sign(data)));
      const verified = inputs.map((data, index) =>
        verifies(key, data, signatures[index] ?? new Uint8Array()),
      );
      expect(verified.every(Boolean)).toBe(true);
    });

    test('passes its check, and refuses everything once closed', async () => {
      await keys.generate('one', 'ecdsa-p256');
      await keys.check();
      await keys.close();
      await expect(keys.check()).rejects.toEqual(code('FailedPrecondition'));
      await expect(keys.get('one')).rejects.toEqual(code('FailedPrecondition'));
      await expect(keys.list()).rejects.toEqual(code('FailedPrecondition'));
      await expect(keys.generate('two', 'ecdsa-p256')).rejects.toEqual(code('FailedPrecondition'));
    });

    test.runIf(capabilities.durable)('keeps its keys for the next to open it', async () => {
      const made = await keys.generate('kept', 'ecdsa-p384');
      await keys.close();
      keys = await home.open();
      const key = await keys.get('kept');
      expect(Buffer.from(key?.publicKey ?? []).equals(made.publicKey)).toBe(true);
      const data = Buffer.from('after a restart');
      expect(verifies(made, data, (await key?.sign(data)) ?? new Uint8Array())).toBe(true);
    });

    describe('import', () => {
      const pkcs8 = () =>
        generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({
          type: 'pkcs8',
          format: 'der',
        });

      test.each(capabilities.algorithms)('takes a %s key made elsewhere', async (algorithm) => {
        const theirs = await generateKeyPair(algorithm);
        const key = await keys.import('theirs', theirs.privateKeyPkcs8);
        expect(key).toMatchObject({ id: 'theirs', algorithm });
        expect(Buffer.from(key.publicKey).equals(theirs.spki)).toBe(true);
        const data = Buffer.from('x');
        expect(verifies({ ...key, publicKey: theirs.spki }, data, await key.sign(data))).toBe(true);
        expect((await keys.list()).map(({ id }) => id)).toEqual(['theirs']);
      });

      test('does not replace a key', async () => {
        await keys.generate('mine', 'ecdsa-p256');
        await expect(keys.import('mine', new Secret(pkcs8()))).rejects.toEqual(code('AlreadyExists'));
      });

      test.each([
        ['nothing', () => new Uint8Array()],
        ['rubbish', () => Buffer.alloc(200, 0x30)],
        ['a key that is cut off', () => pkcs8().subarray(0, 60)],
        [
          'a curve that is not offered',
          () =>
            generateKeyPairSync('ec', { namedCurve: 'secp256k1' }).privateKey.export({
              type: 'pkcs8',
              format: 'der',
            }),
        ],
      ])('refuses %s', async (_what, bytes) => {
        await expect(keys.import('bad', new Secret<Uint8Array>(bytes()))).rejects.toEqual(
          code('InvalidArgument'),
        );
        expect(await keys.get('bad')).toBeUndefined();
      });
    });
  });
}
