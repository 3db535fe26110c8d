import { verify, X509Certificate } from 'node:crypto';
import { assert, nat, oneof, property, tuple, uint8Array } from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import {
  BundleSet,
  Certificate,
  SpiffeError,
  TrustBundle,
  TrustDomain,
  verifyX509Svid,
  X509Svid,
} from '../src/index.ts';
import { CertificateMaker, type Description } from './certificates.ts';
import { oid, sequence, tlv } from './der-writer.ts';
import { type Case, errorOf, expectRefusal, loadVectors } from './vectors.ts';

interface ChainCase extends Case {
  readonly certificates: Readonly<Record<string, Description>>;
  readonly chain: readonly string[];
  readonly bundle?: readonly string[];
  readonly bundleOf?: string;
  readonly now?: number;
}

const isChainCase = (value: object): value is ChainCase =>
  'certificates' in value && 'chain' in value && ('rule' in value || 'valid' in value);

// On a whole second, as a certificate's times are; in the middle of the century of both forms of time.
const epoch = new Date('2026-06-01T12:00:00Z');

async function makeAll(descriptions: ChainCase['certificates']): Promise<(name: string) => Buffer> {
  const maker = new CertificateMaker(epoch);
  const made = new Map<string, Buffer>();
  for (const [name, description] of Object.entries(descriptions))
    made.set(name, await maker.make(name, description));
  return (name) => {
    const der = made.get(name);
    if (der === undefined) throw new Error(`no certificate ${name}`);
    return der;
  };
}

describe('X.509-SVID', () => {
  it.each(loadVectors('x509-svid.json', isChainCase))('$name', async (each) => {
    const der = await makeAll(each.certificates);
    const chain = each.chain.map(der);
    const trustDomain = TrustDomain.parse(each.bundleOf ?? 'example.org');
    const bundles = BundleSet.of(TrustBundle.of(trustDomain, (each.bundle ?? ['root']).map(der)));
    const now = new Date(epoch.getTime() + (each.now ?? 0) * 3_600_000);
    if (each.rule !== undefined) return expectRefusal(() => verifyX509Svid(chain, bundles, { now }), each);

    const verified = verifyX509Svid(chain, bundles, { now });
    expect(verified.id.toString()).toBe('spiffe://example.org/web');
    expect(verified.leaf.der).toEqual(chain[0]);
    expect(verified.path[0]).toBe(verified.leaf);
    expect(bundles.get(trustDomain)?.has(verified.authority.der)).toBe(true);
    // OpenSSL agrees on each step of the path.
    const steps = [...verified.path, verified.authority].map(
      (certificate) => new X509Certificate(certificate.der),
    );
    for (const [i, issuer] of steps.slice(1).entries()) expect(steps[i]?.verify(issuer.publicKey)).toBe(true);
    expect(verified.validUntil).toEqual(
      new Date(Math.min(...steps.map((certificate) => certificate.validToDate.getTime()))),
    );
  });

  it('reads the same as OpenSSL', async () => {
    const der = await makeAll({
      root: { kind: 'root', notAfter: 876_000 },
      leaf: { kind: 'leaf', issuer: 'root', subject: 'CN=web' },
    });
    for (const name of ['root', 'leaf']) {
      const ours = Certificate.parse(der(name));
      const theirs = new X509Certificate(der(name));
      expect(ours.serialNumber).toBe(theirs.serialNumber.toLowerCase());
      expect(ours.notBefore).toEqual(theirs.validFromDate);
      expect(ours.notAfter).toEqual(theirs.validToDate);
      expect(ours.extensions.basicConstraints?.ca).toBe(theirs.ca);
      expect(ours.publicKey.equals(theirs.publicKey)).toBe(true);
      // `keyUsage` of Node's type is the list of extended key usages.
      expect(ours.extensions.extendedKeyUsage).toEqual(theirs.keyUsage);
    }
  });
});

describe('forms of a chain', () => {
  let chain: Buffer[];
  let bundles: BundleSet;

  beforeAll(async () => {
    const der = await makeAll({
      root: { kind: 'root' },
      mid: { kind: 'intermediate', issuer: 'root' },
      leaf: { kind: 'leaf', issuer: 'mid' },
    });
    chain = [der('leaf'), der('mid')];
    bundles = BundleSet.of(TrustBundle.of(TrustDomain.parse('example.org'), [der('root')]));
  });

  it('round-trips PEM, DER in a row and a list', () => {
    const svid = X509Svid.parse(chain);
    expect(svid.toDer()).toEqual(Buffer.concat(chain));
    for (const form of [svid.toPem(), svid.toPem().replaceAll('\n', '\r\n'), svid.toDer()]) {
      const again = X509Svid.parse(form);
      expect(again.chain.map(({ der }) => der)).toEqual(chain);
      expect(verifyX509Svid(again, bundles, { now: epoch }).id.equals(svid.id)).toBe(true);
    }
  });

  it('does not see later changes of its input', () => {
    const input = chain.map((der) => Buffer.from(der));
    const svid = X509Svid.parse(input);
    for (const der of input) der.fill(0);
    expect(verifyX509Svid(svid, bundles, { now: epoch }).id.path).toBe('/web');
  });

  it.each<[string, (pem: string) => string, string]>([
    [
      'a private key among the certificates',
      (pem) => `${pem}-----BEGIN PRIVATE KEY-----\nAAAA\n`,
      'pem-label',
    ],
    ['a block that is not closed', (pem) => pem.trimEnd().slice(0, -1), 'pem'],
    ['a block that is cut off', (pem) => pem.slice(0, 200), 'pem'],
    ['a character that is no base64', (pem) => pem.replace('\nMII', '\nM*I'), 'pem'],
    ['one digit of base64 too many', (pem) => pem.replace('\n-----END', '\nA\n-----END'), 'pem'],
    ['no certificate', () => 'nothing here', 'chain-empty'],
    ['a text that is too long', (pem) => pem + ' '.repeat(1024 * 1024), 'pem'],
    ['too many certificates', (pem) => pem.repeat(6), 'chain-length'],
  ])('refuses PEM with %s', (_what, change, rule) => {
    expect(errorOf(() => X509Svid.parse(change(X509Svid.parse(chain).toPem()))).rule).toBe(rule);
  });

  it('passes over text around the blocks', () => {
    expect(X509Svid.parse(`subject: web\n${X509Svid.parse(chain).toPem()}\n# end\n`).chain).toHaveLength(2);
  });

  it('refuses bytes after a certificate, and one that is too large', () => {
    const leaf = chain[0] ?? Buffer.alloc(0);
    expect(errorOf(() => X509Svid.parse([Buffer.concat([leaf, Buffer.from([0])])])).rule).toBe('der');
    expect(errorOf(() => X509Svid.parse(Buffer.concat([leaf, Buffer.from([0])]))).rule).toBe('der');
    expect(errorOf(() => X509Svid.parse([Buffer.alloc(32 * 1024 + 1)])).rule).toBe('certificate-size');
  });

  it('refuses a certificate of another version, and one that names two signature algorithms', () => {
    const leaf = (chain[0] ?? Buffer.alloc(0)).toString('hex');
    const version1 = leaf.replace('a003020102', 'a003020100');
    // ecdsa-with-SHA256 stands inside first; inside it becomes ecdsa-with-SHA384.
    const twoAlgorithms = leaf.replace('06082a8648ce3d040302', '06082a8648ce3d040303');
    for (const hex of [version1, twoAlgorithms]) {
      expect(hex).not.toBe(leaf);
      expect(errorOf(() => X509Svid.parse([Buffer.from(hex, 'hex')])).rule).toBe('certificate');
    }
  });

  it('refuses a date that is none: no comparison with it would hold', () => {
    expect(() => verifyX509Svid(chain, bundles, { now: new Date(Number.NaN) })).toThrow(RangeError);
  });

  it('refuses every leaf with a byte changed, and fails in no other way than its own', () => {
    const leaf = chain[0] ?? Buffer.alloc(0);
    for (let at = 0; at < leaf.length; at++) {
      for (const bit of [0x01, 0x80]) {
        const changed = Buffer.from(leaf);
        changed[at] = (changed[at] ?? 0) ^ bit;
        expect(
          errorOf(() => verifyX509Svid([changed, ...chain.slice(1)], bundles, { now: epoch })),
        ).toBeInstanceOf(SpiffeError);
      }
    }
  });

  it('refuses arbitrary bytes and cut certificates', () => {
    const leaf = chain[0] ?? Buffer.alloc(0);
    const bytes = oneof(
      uint8Array({ maxLength: 200 }),
      nat({ max: leaf.length - 1 }).map((end) => leaf.subarray(0, end)),
      tuple(nat({ max: leaf.length }), uint8Array({ minLength: 1, maxLength: 8 })).map(([at, more]) =>
        Buffer.concat([leaf.subarray(0, at), more, leaf.subarray(at)]),
      ),
    );
    assert(
      property(bytes, (der) => {
        expect(
          errorOf(() => verifyX509Svid([der, ...chain.slice(1)], bundles, { now: epoch })),
        ).toBeInstanceOf(SpiffeError);
      }),
      { numRuns: 2000 },
    );
  });
});

describe('search for a path', () => {
  it('takes no signature of another algorithm than the certificate names', async () => {
    const maker = new CertificateMaker(epoch);
    const subject = 'O=example.org';
    await maker.make('ecdsa', { kind: 'root', subject });
    const rsa = await maker.make('rsa', { kind: 'root', subject, key: 'rsa2048' });
    const leaf = Certificate.parse(await maker.make('leaf', { kind: 'leaf', issuer: 'ecdsa' }));
    // The leaf says ecdsa-with-SHA256; the signature is RSA's, with the same hash, and would verify.
    const signature = await maker.sign('rsa', leaf.fields.tbs);
    const algorithm = sequence(oid('1.2.840.10045.4.3.2'));
    const confused = sequence(leaf.fields.tbs, algorithm, tlv(0x03, Buffer.from([0]), signature));
    const bundles = BundleSet.of(TrustBundle.of(TrustDomain.parse('example.org'), [rsa]));
    expect(verify('sha256', leaf.fields.tbs, Certificate.parse(rsa).publicKey, signature)).toBe(true);
    expect(errorOf(() => verifyX509Svid([confused], bundles, { now: epoch })).rule).toBe('path-no-authority');
  });

  it('ends, whatever circles the certificates make', async () => {
    // All bear one name and were signed by one key, which no authority has: each may be above each other.
    const descriptions: Record<string, Description> = {
      root: { kind: 'root' },
      hub: { kind: 'root', subject: 'O=loop' },
    };
    const names = Array.from({ length: 9 }, (_, i) => `loop${i}`);
    for (const name of names)
      descriptions[name] = { kind: 'intermediate', issuer: 'hub', subject: 'O=loop', key: 'p256#hub' };
    descriptions['leaf'] = { kind: 'leaf', issuer: 'hub' };
    const der = await makeAll(descriptions);
    const bundles = BundleSet.of(TrustBundle.of(TrustDomain.parse('example.org'), [der('root')]));
    const error = errorOf(() => verifyX509Svid(['leaf', ...names].map(der), bundles, { now: epoch }));
    expect(error.rule).toBe('path-complexity');
  });

  it('finds the sound one of two paths', async () => {
    const der = await makeAll({
      root: { kind: 'root' },
      expired: { kind: 'intermediate', issuer: 'root', subject: 'CN=mid', key: 'p256#mid', notAfter: -0.5 },
      mid: { kind: 'intermediate', issuer: 'root', subject: 'CN=mid', key: 'p256#mid' },
      leaf: { kind: 'leaf', issuer: 'mid' },
    });
    const bundles = BundleSet.of(TrustBundle.of(TrustDomain.parse('example.org'), [der('root')]));
    const { path } = verifyX509Svid(['leaf', 'expired', 'mid'].map(der), bundles, { now: epoch });
    expect(path.map((certificate) => certificate.der)).toEqual([der('leaf'), der('mid')]);
  });

  it('takes no authority of another trust domain, though it is in the set', async () => {
    const der = await makeAll({
      root: { kind: 'root' },
      other: { kind: 'root' },
      leaf: { kind: 'leaf', issuer: 'other' },
    });
    const bundles = BundleSet.of(
      TrustBundle.of(TrustDomain.parse('example.org'), [der('root')]),
      TrustBundle.of(TrustDomain.parse('example.net'), [der('other')]),
    );
    expect(errorOf(() => verifyX509Svid([der('leaf')], bundles, { now: epoch })).rule).toBe(
      'path-no-authority',
    );
  });
});
