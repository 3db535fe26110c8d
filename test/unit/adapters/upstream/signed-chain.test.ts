import { expect, it } from 'vitest';
import { readSignedChain } from '../../../../src/adapters/upstream/vault-pki/signed-chain.ts';
import { parseCertificate, toPem } from '../../../../src/pki/index.ts';
import { below, newRoot, withoutCrlSign } from '../../../support/company-authority.ts';

it('is not built on where it may sign no CRL, for proxies would be given none', async () => {
  const root = await newRoot();
  const signed = async ({ signer, certificate }: Awaited<ReturnType<typeof below>>) => {
    const { notBefore, notAfter } = parseCertificate(certificate);
    return readSignedChain(
      { certificate: toPem(certificate), issuers: [toPem(root.certificate)] },
      {
        certificateRequest: Buffer.alloc(0),
        publicKey: signer.publicKey,
        commonName: 'issuing',
        notBefore,
        notAfter,
      },
      new Date(),
    );
  };
  const fit = await below(root, 0, 'ecdsa-p256');
  expect(Buffer.from(fit.certificate).equals((await signed(fit)).certificate)).toBe(true);
  await expect(signed(await withoutCrlSign(root))).rejects.toThrow('lacks cRLSign');
});
