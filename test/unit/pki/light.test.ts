import { createPublicKey } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { readCertificateRequest } from '../../../src/pki/index.ts';
import { encodeCertificateRequest, generateRequestKey } from '../../../src/pki/light.ts';

describe('a certificate request made without an X.509 library', () => {
  test.each(['ecdsa-p256', 'ecdsa-p384', 'rsa-2048', 'ed25519'] as const)(
    '%s: the strict reader takes it, with and without names',
    async (algorithm) => {
      const key = await generateRequestKey(algorithm);
      const spki = createPublicKey(key).export({ type: 'spki', format: 'der' });
      for (const uris of [
        [],
        ['spiffe://example.org/ns/a/sa/b'],
        [`spiffe://example.org/${'x'.repeat(300)}`],
      ]) {
        const request = await readCertificateRequest(encodeCertificateRequest(key, uris));
        expect(Buffer.from(request.publicKey.spki)).toEqual(spki);
        expect(request.asked.uris).toEqual(uris);
      }
    },
  );
});
