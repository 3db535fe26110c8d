import { X509Certificate as NodeCertificate } from 'node:crypto';
import { describe, expect, it, test } from 'vitest';
import { Secret } from '../../../src/kernel/index.ts';
import {
  chainToRoot,
  checkAuthorityChain,
  createCrossCertificate,
  createIssuingCertificate,
  createRootCertificate,
  generateKeyPair,
  keyAlgorithms,
  localSigner,
  mayCrossSign,
  parseCertificate,
  parsePemCertificates,
  readPrivateKey,
  toPem,
  verifyIssuedBy,
} from '../../../src/pki/index.ts';
import { createAuthorities, leafRequest, seconds, signerOf } from './fixture.ts';
import { openssl, opensslKnows } from './openssl.ts';

describe.each(keyAlgorithms)('authorities with keys of %s', (algorithm) => {
  it('are what OpenSSL and Node take for authorities', async () => {
    const { root, issuing, issuer } = await createAuthorities(algorithm);
    const parsed = parseCertificate(root);
    const below = parseCertificate(toPem(issuing));
    expect(parsed).toMatchObject({
      isCa: true,
      pathLen: undefined,
      uris: ['spiffe://example.org'],
      subject: 'CN=Test root',
    });
    expect(below).toMatchObject({ isCa: true, pathLen: 0, keyUsage: ['keyCertSign', 'cRLSign'] });
    expect(below.subject).toBe('CN=Test issuing\\, \\"authority\\" \\+ ö');
    expect(below.authorityKeyId).toBe(parsed.subjectKeyId);
    expect(verifyIssuedBy(below, parsed)).toBe(true);
    expect(verifyIssuedBy(parsed, below)).toBe(false);
    const node = new NodeCertificate(issuing);
    expect(node.serialNumber.toLowerCase()).toBe(below.serialHex);
    expect(node.verify(new NodeCertificate(root).publicKey)).toBe(true);
    const files = { root: toPem(root), issuing: toPem(issuing) };
    if (opensslKnows(algorithm))
      expect(openssl(files, 'verify', '-x509_strict', '-CAfile', '@root', '@issuing')).toMatch(/: OK\n$/);
    const check = { certificate: issuing, intermediates: [], roots: [root], at: new Date() };
    const expected = { trustDomain: 'example.org', publicKey: issuer.issuer.publicKey.spki };
    expect(await checkAuthorityChain({ ...check, ...expected })).toEqual([]);
  });
});

test('a cross certificate keeps what those below name the root by, and what it may not have below it', async () => {
  const { root: old } = await createAuthorities('ecdsa-p256');
  const [oldSigner, signer] = [await signerOf('ecdsa-p256'), await signerOf('ecdsa-p256')];
  const made = { notBefore: seconds(-60), notAfter: seconds(3600) };
  const first = await createRootCertificate({ signer: oldSigner, subject: 'Old', ...made });
  const pair = await generateKeyPair('ecdsa-p256');
  const files = {
    key: toPem(pair.privateKeyPkcs8.reveal(), 'PRIVATE KEY'),
    extensions: [
      'basicConstraints = critical, CA:TRUE, pathlen:2',
      'keyUsage = critical, keyCertSign',
      'subjectKeyIdentifier = 01:02:03:04',
      'nameConstraints = permitted;URI:.example.org',
    ].join('\n'),
  };
  const options = ['-new', '-key', '@key', '-subj', '/CN=Company', '-days', '2', '-extfile', '@extensions'];
  const company = parseCertificate(openssl(files, 'x509', ...options));
  const below = await createIssuingCertificate({
    issuerCertificate: company.der,
    issuerSigner: localSigner(pair.privateKey),
    publicKey: signer.publicKey,
    subject: 'Issuing',
    notBefore: company.notBefore,
    notAfter: seconds(600),
  });
  const cross = await createCrossCertificate({
    issuerCertificate: first,
    issuerSigner: oldSigner,
    certificate: company.der,
    below: 'unknown',
  });
  expect(parseCertificate(cross)).toMatchObject({ subjectKeyId: '01020304', pathLen: 2 });
  const chain = { roots: toPem(first), cross: toPem(cross), below: toPem(below) };
  expect(openssl(chain, 'x509', '-in', '@cross', '-noout', '-text')).toContain('URI:.example.org');
  expect(openssl(chain, 'verify', '-CAfile', '@roots', '-untrusted', '@cross', '@below')).toMatch(/: OK\n$/);
  expect(mayCrossSign(old, 'unknown')).toBe(true);
  const short = await createRootCertificate({ signer: oldSigner, subject: 'Old', ...made, pathLen: 2 });
  expect([1, 2, 'unknown' as const].map((number) => mayCrossSign(short, number))).toStrictEqual([
    true,
    false,
    false,
  ]);
});

describe('a chain', async () => {
  const { root, issuing, issuer } = await createAuthorities('ecdsa-p256');
  const workload = await signerOf('ecdsa-p256');
  const leaf = await issuer.sign(issuer.prepare(leafRequest(workload.publicKey)));
  const foreign = await createAuthorities('ecdsa-p256');

  it('is found from the leaf to the root', () => {
    const chain = chainToRoot(leaf, [foreign.issuing, issuing], [foreign.root, root], new Date());
    expect(chain.map(({ der }) => Buffer.from(der))).toEqual(
      [leaf, issuing, root].map((der) => Buffer.from(der)),
    );
  });

  it.each([
    ['without the intermediate', [], [root], new Date()],
    ['under another root of the same name', [issuing], [foreign.root], new Date()],
    ['under another issuing authority of the same name', [foreign.issuing], [root], new Date()],
    ['after the end of the leaf', [issuing], [root], seconds(7200)],
    ['before the beginning of all', [issuing], [root], seconds(-7200)],
  ])('is not found %s', (_, intermediates, roots, at) => {
    expect(() => chainToRoot(leaf, intermediates, roots, at)).toThrow(
      expect.objectContaining({ code: 'FailedPrecondition' }),
    );
  });

  it('is refused when it is taken over with a fault, with a sentence for each', async () => {
    const check = { certificate: issuing, intermediates: [], roots: [root], at: new Date() };
    expect(await checkAuthorityChain({ ...check, trustDomain: 'example.com' })).toEqual([
      'it names another trust domain: spiffe://example.org',
    ]);
    expect(await checkAuthorityChain({ ...check, publicKey: workload.publicKey })).toEqual([
      'the key is not the one of the certificate',
    ]);
    expect(await checkAuthorityChain({ ...check, roots: [foreign.root] })).toHaveLength(1);
    expect(
      (await checkAuthorityChain({ ...check, certificate: leaf, intermediates: [issuing] })).join(),
    ).toContain('CA:TRUE');
    expect(await checkAuthorityChain({ ...check, certificate: leaf.subarray(1) })).toHaveLength(1);
  });
});

it('an authority is not made above its rights: path length, life, key', async () => {
  const { root, issuing, issuer } = await createAuthorities('ecdsa-p256');
  const signer = await signerOf('ecdsa-p256');
  const times = { notBefore: seconds(0), notAfter: seconds(60), subject: 'Below' };
  const options = { ...times, issuerCertificate: issuing, issuerSigner: signer, publicKey: signer.publicKey };
  const refused = expect.objectContaining({ code: 'FailedPrecondition' });
  await expect(createIssuingCertificate(options)).rejects.toEqual(refused);
  await expect(createIssuingCertificate({ ...options, issuerCertificate: root })).rejects.toEqual(refused);
  const own = await createRootCertificate({ signer, ...times });
  const late = { ...options, issuerCertificate: own, notAfter: seconds(120) };
  await expect(createIssuingCertificate(late)).rejects.toEqual(refused);
  expect(issuer.issuer.pathLen).toBe(0);
});

it('a signer that signs wrongly makes no certificate', async () => {
  const signer = await signerOf('ecdsa-p256');
  const other = await signerOf('ecdsa-p256');
  const times = { notBefore: seconds(0), notAfter: seconds(60) };
  const confused = { ...signer, sign: (data: Uint8Array) => other.sign(data) };
  await expect(createRootCertificate({ signer: confused, subject: 'x', ...times })).rejects.toMatchObject({
    code: 'Internal',
  });
});

it('reads private keys as OpenSSL writes them, encrypted too, and says no more than that it could not', async () => {
  const { privateKeyPkcs8, spki } = await generateKeyPair('ecdsa-p256');
  const key = toPem(privateKeyPkcs8.reveal(), 'PRIVATE KEY');
  const encrypted = openssl({ key }, 'pkcs8', '-topk8', '-in', '@key', '-passout', 'pass:correct');
  const sec1 = openssl({ key }, 'ec', '-in', '@key');
  expect(readPrivateKey(privateKeyPkcs8).spki).toEqual(spki);
  expect(readPrivateKey(new Secret(sec1)).spki).toEqual(spki);
  expect(readPrivateKey(new Secret(encrypted), new Secret('correct')).spki).toEqual(spki);
  expect(() => readPrivateKey(new Secret(encrypted), new Secret('wrong'))).toThrow('cannot be read');
  expect(() => readPrivateKey(new Secret('not a key'))).toThrow('cannot be read');
});

it('holds an ML-DSA key by its seed alone, and reads it with its expanded form too', async () => {
  const { privateKey, privateKeyPkcs8, spki } = await generateKeyPair('ml-dsa-65');
  // RFC 9881, 6: version, algorithm, and an OCTET STRING of [0] with 32 octets.
  const seedOnly = Buffer.from(privateKeyPkcs8.reveal());
  expect(seedOnly.toString('hex')).toMatch(/^3034020100300b060960864801650304031204228020[0-9a-f]{64}$/);
  const both = privateKey.export({ type: 'pkcs8', format: 'der' });
  expect(both.length).toBeGreaterThan(4000);
  for (const form of [seedOnly, both]) {
    const read = readPrivateKey(new Secret<Uint8Array>(form));
    expect(read.spki).toEqual(spki);
    expect(Buffer.from(read.privateKeyPkcs8.reveal())).toEqual(seedOnly);
  }
});

it('PEM bundles are read strictly and in order', async () => {
  const { root, issuing } = await createAuthorities('ecdsa-p256');
  expect(parsePemCertificates(`${toPem(issuing)}\n${toPem(root)}`)).toEqual(
    [issuing, root].map((der) => Buffer.from(der)),
  );
  for (const text of ['', toPem(root, 'PRIVATE KEY'), `# root\n${toPem(root)}`, toPem(root).slice(0, -30)]) {
    expect(() => parsePemCertificates(text)).toThrow(expect.objectContaining({ code: 'InvalidArgument' }));
  }
});
