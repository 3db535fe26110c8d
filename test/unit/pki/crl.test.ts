import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import {
  createCrl,
  createIssuingCertificate,
  createLeafIssuer,
  createRootCertificate,
  type KeyAlgorithm,
  parseCertificate,
  readCrl,
  toPem,
} from '../../../src/pki/index.ts';
import { leafRequest, seconds, signerOf } from './fixture.ts';
import { openssl } from './openssl.ts';

async function authorities(algorithm: KeyAlgorithm) {
  const [rootSigner, signer] = [await signerOf(algorithm), await signerOf(algorithm)];
  const times = { notBefore: seconds(-7200), notAfter: seconds(864_000), trustDomain: 'example.org' };
  const root = await createRootCertificate({ signer: rootSigner, subject: 'Test root', ...times });
  const issuing = await createIssuingCertificate({
    issuerCertificate: root,
    issuerSigner: rootSigner,
    publicKey: signer.publicKey,
    subject: 'Test issuing',
    ...times,
  });
  const issuer = createLeafIssuer({ issuerCertificate: issuing, signer });
  const leaf = async () => {
    const { publicKey } = await signerOf('ecdsa-p256');
    const prepared = issuer.prepare(leafRequest(publicKey));
    return { der: await issuer.sign(prepared), serial: prepared.serialHex };
  };
  const crl = (number: number, ...serials: readonly string[]) =>
    createCrl({
      issuerCertificate: issuing,
      signer,
      number,
      thisUpdate: seconds(-3600),
      nextUpdate: seconds(864_000),
      entries: serials.map((serial) => ({ serial, revokedAt: seconds(0), reason: 'keyCompromise' as const })),
    });
  return { root, issuing, signer, rootSigner, leaf, crl };
}

const crlPem = (der: Uint8Array) => toPem(der, 'X509 CRL');

describe.each(['ecdsa-p256', 'ecdsa-p384', 'ed25519', 'rsa-2048'] as const)('a CRL of %s', (algorithm) => {
  it('is what OpenSSL reads and verifies, and refuses exactly the leaf that it names', async () => {
    const made = await authorities(algorithm);
    const [bad, good] = [await made.leaf(), await made.leaf()];
    const der = await made.crl(7, bad.serial);
    const files = {
      'root.pem': toPem(made.root),
      'issuing.pem': toPem(made.issuing),
      'crl.pem': crlPem(der),
      'bad.pem': toPem(bad.der),
      'good.pem': toPem(good.der),
    };
    const text = openssl(files, 'crl', '-in', '@crl.pem', '-CAfile', '@issuing.pem', '-noout', '-text');
    expect(text).toContain('Version 2 (0x1)');
    expect(text).toMatch(/X509v3 CRL Number:\s+7/);
    expect(text).toContain('Key Compromise');
    const keyId = parseCertificate(made.issuing).subjectKeyId?.toUpperCase().match(/../g)?.join(':') ?? '-';
    expect(text).toContain(keyId);
    expect(text).toContain(bad.serial.toUpperCase());

    const verify = (leaf: string) =>
      openssl(
        files,
        'verify',
        '-crl_check',
        '-CAfile',
        '@root.pem',
        '-untrusted',
        '@issuing.pem',
        '-CRLfile',
        '@crl.pem',
        leaf,
      );
    expect(verify('@good.pem')).toContain('OK');
    expect(() => verify('@bad.pem')).toThrow('certificate revoked');
    expect(readCrl(der)).toMatchObject({ number: 7, serials: new Set([bad.serial]) });
  });
});

describe('a CRL', () => {
  it('of the root takes back an issuing authority', async () => {
    const made = await authorities('ecdsa-p256');
    const leaf = await made.leaf();
    const rootCrl = (...serials: readonly string[]) =>
      createCrl({
        issuerCertificate: made.root,
        signer: made.rootSigner,
        number: 1,
        thisUpdate: seconds(-60),
        nextUpdate: seconds(86_400),
        entries: serials.map((serial) => ({
          serial,
          revokedAt: seconds(0),
          reason: 'cACompromise' as const,
        })),
      });
    const verify = async (root: Uint8Array) =>
      openssl(
        {
          'root.pem': toPem(made.root),
          'issuing.pem': toPem(made.issuing),
          'crls.pem': crlPem(await made.crl(1)) + crlPem(root),
          'leaf.pem': toPem(leaf.der),
        },
        'verify',
        '-crl_check_all',
        '-CAfile',
        '@root.pem',
        '-untrusted',
        '@issuing.pem',
        '-CRLfile',
        '@crls.pem',
        '@leaf.pem',
      );
    expect(await verify(await rootCrl())).toContain('OK');
    const { serialHex } = parseCertificate(made.issuing);
    await expect(rootCrl(serialHex).then(verify)).rejects.toThrow('certificate revoked');
  });

  it('holds ten thousand certificates, and numbers up to 2^31-1', async () => {
    const made = await authorities('ecdsa-p256');
    const serials = Array.from({ length: 10_000 }, () => {
      const octets = randomBytes(16);
      octets[0] = 0x80 | (octets[0] ?? 0);
      return octets.toString('hex');
    });
    const der = await made.crl(2 ** 31 - 1, ...serials);
    const read = readCrl(der);
    expect(read.serials).toStrictEqual(new Set(serials));
    expect(read.number).toBe(2 ** 31 - 1);
    expect(der.length).toBeLessThan(520_000);
  });

  it('is not signed by another key, nor by an authority that may not, nor when it would end first', async () => {
    const [made, other] = [await authorities('ecdsa-p256'), await signerOf('ecdsa-p256')];
    const given = {
      issuerCertificate: made.issuing,
      signer: made.signer,
      number: 1,
      thisUpdate: seconds(0),
      nextUpdate: seconds(60),
      entries: [],
    };
    await expect(createCrl({ ...given, signer: other })).rejects.toThrow('the key is not the one');
    await expect(createCrl({ ...given, nextUpdate: seconds(0) })).rejects.toThrow('end before it begins');
    const { der } = await made.leaf();
    await expect(createCrl({ ...given, issuerCertificate: der })).rejects.toThrow('lacks cRLSign');
    const forging = { ...made.signer, sign: (data: Uint8Array) => other.sign(data) };
    await expect(createCrl({ ...given, signer: forging })).rejects.toThrow('failed its own check');
  });

  it.each([
    ['cut short', (der: Buffer) => der.subarray(0, -1)],
    ['with something after it', (der: Buffer) => Buffer.concat([der, Buffer.of(0)])],
    ['that is a certificate', (_: Buffer, issuing: Uint8Array) => issuing],
  ])('%s is not read', async (_what, change) => {
    const made = await authorities('ecdsa-p256');
    const der = Buffer.from(await made.crl(1));
    expect(() => readCrl(change(der, made.issuing))).toThrow('malformed CRL');
  });
});
