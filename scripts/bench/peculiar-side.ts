import { createHash, randomBytes, webcrypto } from 'node:crypto';
import 'reflect-metadata';
import * as x509 from '@peculiar/x509';
import type { Fixture } from './fixture.ts';
import { type Side, saturate } from './measure.ts';

/** The same certificate made by @peculiar/x509 on Node's WebCrypto. */
export async function peculiarSide(fixture: Fixture): Promise<Side> {
  x509.cryptoProvider.set(webcrypto);
  const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };
  const issuer = new x509.X509Certificate(new Uint8Array(fixture.issuing));
  const pkcs8 = fixture.issuingKey.export({ type: 'pkcs8', format: 'der' });
  const signingKey = await webcrypto.subtle.importKey('pkcs8', pkcs8, algorithm, false, ['sign']);
  const issuerKey = await issuer.publicKey.export();
  const authority = await x509.AuthorityKeyIdentifierExtension.create(issuer.publicKey);

  async function issue(): Promise<void> {
    const request = new x509.Pkcs10CertificateRequest(fixture.requestPem);
    if (!(await request.verify())) throw new Error('the request does not verify');
    const point = new Uint8Array(request.publicKey.rawData).subarray(-65);
    const certificate = await x509.X509CertificateGenerator.create({
      serialNumber: randomBytes(16).toString('hex'),
      issuer: issuer.subjectName,
      notBefore: new Date(Date.now() - 120_000),
      notAfter: new Date(Date.now() + 3_600_000),
      publicKey: request.publicKey,
      signingKey,
      signingAlgorithm: algorithm,
      extensions: [
        new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
        new x509.ExtendedKeyUsageExtension([
          x509.ExtendedKeyUsage.serverAuth,
          x509.ExtendedKeyUsage.clientAuth,
        ]),
        new x509.BasicConstraintsExtension(false, undefined, true),
        authority,
        new x509.SubjectKeyIdentifierExtension(createHash('sha256').update(point).digest('hex').slice(0, 40)),
        new x509.SubjectAlternativeNameExtension([{ type: 'url', value: fixture.spiffeId }], true),
      ],
    });
    if (!(await certificate.verify({ publicKey: issuerKey, signatureOnly: true })))
      throw new Error('not verified');
    certificate.toString('pem');
  }
  return { name: '@peculiar/x509', run: (seconds) => saturate(seconds, 8, issue) };
}
