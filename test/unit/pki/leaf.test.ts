import 'reflect-metadata';
import { X509Certificate as NodeCertificate, webcrypto } from 'node:crypto';
import * as x509 from '@peculiar/x509';
import { describe, expect, it } from 'vitest';
import {
  checkIssued,
  createLeafIssuer,
  keyAlgorithms,
  lintLeaf,
  parseCertificate,
  servingProfile,
  toPem,
} from '../../../src/pki/index.ts';
import { createAuthorities, leafRequest, seconds, signerOf, spiffeId } from './fixture.ts';
import { openssl, opensslKnows } from './openssl.ts';

x509.cryptoProvider.set(webcrypto);

const authorities = await createAuthorities('ecdsa-p256');
const { issuer } = authorities;
const workload = await signerOf('ecdsa-p256');
const other = await signerOf('ecdsa-p256');

const meant = (request: ReturnType<typeof leafRequest>) => ({ ...request, uri: request.spiffeId });

describe.each(keyAlgorithms)('an authority with a key of %s', (algorithm) => {
  it('issues what OpenSSL, @peculiar/x509 and Node read as we do', async () => {
    const { root, issuing, issuer: own } = await createAuthorities(algorithm);
    const request = leafRequest(
      (await signerOf(algorithm === 'ml-dsa-65' ? 'ecdsa-p256' : algorithm)).publicKey,
    );
    const prepared = own.prepare(request);
    const certificate = await own.sign(prepared);
    expect(lintLeaf(prepared.tbs, meant(request))).toEqual([]);
    expect(lintLeaf(certificate, meant(request))).toEqual([]);
    expect(await checkIssued(certificate, prepared, own)).toEqual([]);

    const files = { root: toPem(root), issuing: toPem(issuing), leaf: toPem(certificate) };
    for (const purpose of opensslKnows(algorithm) ? ['sslserver', 'sslclient'] : []) {
      const args = [
        '-x509_strict',
        '-purpose',
        purpose,
        '-CAfile',
        '@root',
        '-untrusted',
        '@issuing',
        '@leaf',
      ];
      expect(openssl(files, 'verify', ...args)).toMatch(/: OK\n$/);
    }

    const ours = parseCertificate(certificate);
    const node = new NodeCertificate(certificate);
    expect(node.serialNumber.toLowerCase()).toBe(ours.serialHex);
    expect(node.subjectAltName).toBe(`URI:${spiffeId}`);
    expect(node.validFromDate).toEqual(ours.notBefore);
    expect(node.validToDate).toEqual(ours.notAfter);
    expect(node.ca).toBe(false);
    expect(node.publicKey.export({ type: 'spki', format: 'der' }).equals(request.spki)).toBe(true);
    expect(node.fingerprint256.replaceAll(':', '').toLowerCase()).toBe(ours.fingerprint);
    expect(node.checkIssued(new NodeCertificate(issuing))).toBe(true);

    const peculiar = new x509.X509Certificate(new Uint8Array(certificate));
    const above = new x509.X509Certificate(new Uint8Array(issuing));
    expect(await peculiar.verify({ publicKey: above.publicKey, signatureOnly: true })).toBe(true);
    expect(Buffer.from(peculiar.issuerName.toArrayBuffer()).equals(ours.issuerDer)).toBe(true);
    expect(peculiar.notAfter).toEqual(ours.notAfter);
  });
});

describe('a leaf', () => {
  it('is byte for byte what @peculiar/x509 encodes', async () => {
    const request = leafRequest(workload.publicKey);
    const prepared = issuer.prepare(request);
    const parsed = parseCertificate(await issuer.sign(prepared));
    const above = new x509.X509Certificate(new Uint8Array(authorities.issuing));
    const certificate = await x509.X509CertificateGenerator.create({
      serialNumber: prepared.serialHex,
      issuer: above.subjectName,
      notBefore: request.notBefore,
      notAfter: request.notAfter,
      publicKey: new Uint8Array(request.spki),
      signingAlgorithm: { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' },
      signature: new Uint8Array(64).fill(1),
      extensions: [
        new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
        new x509.ExtendedKeyUsageExtension(['1.3.6.1.5.5.7.3.1', '1.3.6.1.5.5.7.3.2']),
        new x509.BasicConstraintsExtension(false, undefined, true),
        new x509.AuthorityKeyIdentifierExtension(parsed.authorityKeyId ?? ''),
        new x509.SubjectKeyIdentifierExtension(parsed.subjectKeyId ?? ''),
        new x509.SubjectAlternativeNameExtension([{ type: 'url', value: spiffeId }], true),
      ],
    });
    expect(Buffer.from(certificate.rawData).includes(Buffer.from(prepared.tbs))).toBe(true);
  });

  it.each([
    ['a high bit', 'ff'.repeat(16), 'ff'.repeat(16)],
    ['leading zeros', `000000${'7f'.repeat(13)}`, '7f'.repeat(13)],
    ['a leading zero before a high bit', `00${'80'.repeat(15)}`, '80'.repeat(15)],
  ])('has a positive, minimal serial number from octets with %s', async (_, octets, serialHex) => {
    const prepared = issuer.prepare({
      ...leafRequest(workload.publicKey),
      serial: Buffer.from(octets, 'hex'),
    });
    expect(prepared.serialHex).toBe(serialHex);
    const certificate = await issuer.sign(prepared);
    expect(parseCertificate(certificate).serialHex).toBe(serialHex);
    expect(new NodeCertificate(certificate).serialNumber.toLowerCase()).toBe(serialHex);
  });

  it('is dated by GeneralizedTime from 2050 and by UTCTime before', async () => {
    const far = await createAuthorities('ecdsa-p256', 36_500);
    const notBefore = new Date('2049-12-31T23:59:59Z');
    const notAfter = new Date('2050-01-01T00:00:00Z');
    const certificate = await far.issuer.sign(
      far.issuer.prepare({ ...leafRequest(workload.publicKey), notBefore, notAfter }),
    );
    const node = new NodeCertificate(certificate);
    expect(node.validFromDate).toEqual(notBefore);
    expect(node.validToDate).toEqual(notAfter);
    expect(Buffer.from(certificate).includes('\x17\x0d491231235959Z\x18\x0f20500101000000Z')).toBe(true);
  });

  it('for serving names hosts beside its SPIFFE ID', async () => {
    const hosts = {
      dns: ['istiod.istio-system.svc', '*.example.org'],
      ips: ['127.0.0.1', '::1', '2001:db8::1'],
    };
    const request = { ...leafRequest(workload.publicKey), ...hosts, profile: servingProfile };
    const certificate = await issuer.sign(issuer.prepare(request));
    expect(lintLeaf(certificate, meant(request))).toEqual([]);
    const node = new NodeCertificate(certificate);
    expect(node.checkHost('istiod.istio-system.svc')).toBeDefined();
    for (const ip of hosts.ips) expect(node.checkIP(ip)).toBeDefined();
    expect(parseCertificate(certificate)).toMatchObject({ ...hosts, uris: [spiffeId] });
  });

  it.each([
    ['hosts in an SVID', { dns: ['example.org'] }],
    ['a serial number of zeros', { serial: Buffer.alloc(16) }],
    ['a short serial number', { serial: Buffer.alloc(8, 1) }],
    ['an end before its beginning', { notAfter: seconds(-3600) }],
    ['a life longer than its issuer’s', { notAfter: seconds(11 * 86_400) }],
    ['another scheme', { spiffeId: 'https://example.org/x' }],
    ['a NUL in its SPIFFE ID', { spiffeId: 'spiffe://example.org/a\0b' }],
    ['a SPIFFE ID outside ASCII', { spiffeId: 'spiffe://example.org/ö' }],
    ['a host in upper case', { profile: servingProfile, dns: ['Example.org'] }],
    ['a broken address', { profile: servingProfile, ips: ['1.2.3'] }],
  ])('is refused with %s', (_, change) => {
    const request = { ...leafRequest(workload.publicKey), ...change };
    expect(() => issuer.prepare(request)).toThrow(expect.objectContaining({ code: 'InvalidArgument' }));
  });
});

describe('lintLeaf', () => {
  const request = leafRequest(workload.publicKey);
  const { tbs } = issuer.prepare(request);

  it.each([
    ['key', { spki: other.publicKey }, 'public key'],
    ['SPIFFE ID', { uri: `${spiffeId}2` }, 'URI SAN'],
    ['notBefore', { notBefore: seconds(-240) }, 'notBefore'],
    ['notAfter', { notAfter: seconds(7200) }, 'notAfter'],
    ['host', { dns: ['example.org'] }, 'DNS'],
    ['address', { ips: ['127.0.0.1'] }, 'IP'],
    ['key usage', { profile: { ...servingProfile, keyUsage: ['keyEncipherment' as const] } }, 'key usage'],
    [
      'purpose',
      { profile: { ...servingProfile, extendedKeyUsage: ['serverAuth' as const] } },
      'extended key usage',
    ],
  ])('finds another %s', (_, change, finding) => {
    const findings = lintLeaf(tbs, { ...meant(request), ...change });
    expect(findings).toHaveLength(1);
    expect(findings[0]).toContain(finding);
  });

  it('finds an authority where a leaf was meant', () => {
    const { publicKey, notBefore, notAfter } = parseCertificate(authorities.issuing);
    const expected = { spki: publicKey.spki, uri: 'spiffe://example.org', notBefore, notAfter };
    const findings = lintLeaf(authorities.issuing, expected).join();
    for (const part of ['CA:FALSE', 'subject', 'key usage', 'extension']) expect(findings).toContain(part);
  });

  it('finds an authority key identifier of which a part says something else', () => {
    const bytes = Buffer.from(tbs);
    const keyId = bytes.indexOf(Buffer.from(issuer.issuer.subjectKeyId ?? '', 'hex'));
    bytes[keyId - 1] = 16;
    bytes.set([0x82, 2, 1, 1], keyId + 16); // authorityCertSerialNumber
    expect(lintLeaf(bytes, meant(request))).toEqual([
      'its authority key identifier has more than the identifier of a key',
    ]);
  });

  it('finds every change of a bit but where it has nothing to compare with, and never throws', () => {
    const bytes = Buffer.from(tbs);
    const authorityKeyId = issuer.issuer.subjectKeyId ?? '';
    const keyId = bytes.indexOf(Buffer.from(authorityKeyId, 'hex'));
    // Behind the headers of the whole, the version and the serial number itself; a sign octet may come first.
    const serial = 11;
    const issuerEnd =
      bytes.indexOf(authorities.issuer.issuer.subjectDer) + authorities.issuer.issuer.subjectDer.length;
    const unknown = (at: number): boolean =>
      (at >= serial && at < issuerEnd) || (at >= keyId && at < keyId + authorityKeyId.length / 2);
    for (let bit = 0; bit < bytes.length * 8; bit++) {
      const at = bit >> 3;
      const changed = Buffer.from(bytes);
      changed[at] = (changed[at] ?? 0) ^ (1 << (bit & 7));
      const findings = lintLeaf(changed, meant(request));
      if (!unknown(at)) expect(findings, `octet ${at}`).not.toEqual([]);
    }
  });
});

describe('checkIssued', () => {
  it('refuses another leaf, another signer, another algorithm and a broken signature', async () => {
    const prepared = issuer.prepare(leafRequest(workload.publicKey));
    const certificate = await issuer.sign(prepared);
    const another = await issuer.sign(issuer.prepare(leafRequest(workload.publicKey)));
    expect(await checkIssued(another, prepared, issuer)).toEqual(['it is not what was prepared']);
    const foreign = (await createAuthorities('ecdsa-p256')).issuer;
    expect(await checkIssued(await foreign.sign(prepared), prepared, issuer)).toEqual([
      "its signature does not verify under the issuer's certificate",
    ]);
    const rsa = (await createAuthorities('rsa-2048')).issuer;
    expect(await checkIssued(await rsa.sign(prepared), prepared, issuer)).toEqual([
      "its signature algorithm is not the issuer's",
    ]);
    const broken = Buffer.from(certificate);
    broken[broken.length - 1] = (broken.at(-1) ?? 0) ^ 1;
    expect(await checkIssued(broken, prepared, issuer)).toHaveLength(1);
    expect(await checkIssued(certificate.subarray(1), prepared, issuer)).toHaveLength(1);
  });
});

describe('createLeafIssuer', () => {
  it('refuses a key that is not the certificate’s, and a certificate that is not an authority’s', async () => {
    const request = leafRequest(workload.publicKey);
    const leaf = await issuer.sign(issuer.prepare(request));
    for (const [issuerCertificate, signer] of [
      [authorities.issuing, workload],
      [leaf, workload],
    ] as const) {
      expect(() => createLeafIssuer({ issuerCertificate, signer })).toThrow(
        expect.objectContaining({ code: 'FailedPrecondition' }),
      );
    }
  });
});
