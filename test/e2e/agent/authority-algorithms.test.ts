import { describe, expect, test } from 'vitest';
import { generateKeyPair, keyAlgorithms, toPem } from '../../../src/pki/index.ts';
import { hasPart } from '../../parts/index.ts';
import { type EnvoyIdentity, startEnvoyPair } from '../../support/envoy-pair.ts';
import { type Authorities, createAuthorities, leafRequest } from '../../unit/pki/fixture.ts';

async function identity(own: Authorities, trusted: Authorities): Promise<EnvoyIdentity> {
  const workload = await generateKeyPair('ecdsa-p256');
  const leaf = await own.issuer.sign(own.issuer.prepare(leafRequest(workload.spki)));
  return {
    chain: toPem(leaf) + toPem(own.issuing),
    key: toPem(workload.privateKeyPkcs8.reveal(), 'PRIVATE KEY'),
    roots: toPem(trusted.root),
  };
}

describe.skipIf(!hasPart('envoy'))('real Envoys, by their defaults, over P-256 leaves', () => {
  test.each(keyAlgorithms)(
    'verify each other under a root and an issuing authority of %s',
    async (algorithm) => {
      const authorities = await createAuthorities(algorithm);
      await using pair = await startEnvoyPair(
        await identity(authorities, authorities),
        await identity(authorities, authorities),
      );
      expect([await pair.call(), await pair.call()]).toStrictEqual([200, 200]);
      expect(await pair.failures()).toStrictEqual({ caller: 0, callee: 0 });
    },
  );

  test('refuse each other under another root', async () => {
    const [own, other] = [await createAuthorities('ml-dsa-65'), await createAuthorities('ml-dsa-65')];
    await using pair = await startEnvoyPair(await identity(own, other), await identity(own, own));
    expect(await pair.call()).toBe(503);
    expect((await pair.failures()).caller).toBeGreaterThan(0);
  });
});
