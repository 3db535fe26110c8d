import 'reflect-metadata';
import { webcrypto } from 'node:crypto';
import * as x509 from '@peculiar/x509';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isCitadelError } from '../../../src/kernel/index.ts';
import { bitString, encode, oid, sequence, set, utf8String } from '../../../src/pki/der/index.ts';
import {
  classicAlgorithms,
  createCertificateRequest,
  generateKeyPair,
  type KeyAlgorithm,
  localSigner,
  readCertificateRequest,
  toPem,
} from '../../../src/pki/index.ts';
import { algorithms, encodeSpki, isWeakModulus, signatureIdentifiers } from '../../../src/pki/keys/index.ts';
import { signerOf } from './fixture.ts';
import { openssl } from './openssl.ts';

x509.cryptoProvider.set(webcrypto);

const signer = await signerOf('ecdsa-p256');
const valid = Buffer.from(
  await createCertificateRequest({ signer, subject: 'web', uris: ['spiffe://a.org/x'], dns: ['a.org'] }),
);
const pem = toPem(valid, 'CERTIFICATE REQUEST');
const commonName = sequence(set(sequence(oid('2.5.4.3'), utf8String('x'))));
const version = Buffer.from('020100', 'hex');
const noAttributes = Buffer.from('a000', 'hex');

interface Parts {
  readonly version?: Uint8Array;
  readonly subject?: Uint8Array;
  readonly spki?: Uint8Array;
  readonly attributes?: Uint8Array;
  readonly signatureIdentifier?: Uint8Array;
}

/** A request of these parts, signed by a real key so that only the parts can be at fault. */
async function assemble(parts: Parts, by = signer): Promise<Buffer> {
  const info = sequence(
    parts.version ?? version,
    parts.subject ?? commonName,
    parts.spki ?? by.publicKey,
    parts.attributes ?? noAttributes,
  );
  const identifier = parts.signatureIdentifier ?? algorithms[by.algorithm].signatureIdentifier;
  return sequence(info, identifier, bitString(await by.sign(info)));
}

const refuses = (request: string | Uint8Array, code: string, message: RegExp) =>
  expect(readCertificateRequest(request)).rejects.toMatchObject({
    name: 'CitadelError',
    code,
    message: expect.stringMatching(message),
  });

describe.each(classicAlgorithms)('a request with a key of %s', (algorithm: KeyAlgorithm) => {
  it('is read, ours and OpenSSL’s and @peculiar/x509’s', async () => {
    const { privateKey, spki } = await generateKeyPair(algorithm);
    const own = await createCertificateRequest({
      signer: localSigner(privateKey),
      uris: ['spiffe://a.org/x'],
    });
    expect(
      openssl({ csr: own }, 'req', '-inform', 'DER', '-in', '@csr', '-verify', '-noout', '-text'),
    ).toContain('URI:spiffe://a.org/x');
    const key = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
    const theirs = openssl({ key }, 'req', '-new', '-key', '@key', '-subj', '/O=Example/CN=web');
    for (const request of [own, toPem(own, 'NEW CERTIFICATE REQUEST'), theirs]) {
      const { publicKey } = await readCertificateRequest(request);
      expect(publicKey.algorithm).toBe(algorithm);
      expect(Buffer.from(publicKey.spki).equals(spki)).toBe(true);
    }
  });
});

it('tells what was asked for, and that alone', async () => {
  const config =
    '[req]\ndistinguished_name=dn\n[dn]\n[v3]\nbasicConstraints=critical,CA:TRUE\nsubjectAltName=URI:spiffe://evil.org/x,DNS:evil.org\n';
  const key = (await generateKeyPair('ecdsa-p256')).privateKey
    .export({ type: 'pkcs8', format: 'pem' })
    .toString();
  const args = [
    'req',
    '-new',
    '-key',
    '@key',
    '-config',
    '@config',
    '-reqexts',
    'v3',
    '-subj',
    '/O=Example, Inc./CN=web',
  ];
  const { asked } = await readCertificateRequest(openssl({ key, config }, ...args));
  expect(asked).toEqual({
    subject: 'CN=web,O=Example\\, Inc.',
    uris: ['spiffe://evil.org/x'],
    dns: ['evil.org'],
    extensions: ['2.5.29.19', '2.5.29.17'],
    ca: true,
  });
});

it('is refused of an ML-DSA key, which only authorities may have', async () => {
  const request = await createCertificateRequest({ signer: await signerOf('ml-dsa-65') });
  await refuses(request, 'InvalidArgument', /only authorities may have an ML-DSA key/);
});

describe('malformed', () => {
  const point = signer.publicKey.subarray(-65);
  const offCurve = Buffer.from(signer.publicKey);
  offCurve[offCurve.length - 1] = (offCurve.at(-1) ?? 0) ^ 1;
  const compressed = Buffer.from([2 + ((point[64] ?? 0) & 1), ...point.subarray(1, 33)]);
  const hybrid = Buffer.from([6 + ((point[64] ?? 0) & 1), ...point.subarray(1)]);
  const p521 = sequence(
    sequence(oid('1.2.840.10045.2.1'), oid('1.3.132.0.35')),
    bitString(Buffer.alloc(133, 4)),
  );
  const smallOrder = encodeSpki('ed25519', Buffer.from([1, ...Buffer.alloc(31)]));
  const nested = Array.from({ length: 20 }).reduce<Buffer>((inner) => sequence(inner), Buffer.alloc(0));
  const attribute = (value: Uint8Array, type = '1.2.3') => sequence(oid(type), set(value));

  it.each<[string, Parts, RegExp]>([
    ['a version that is not 1', { version: Buffer.from('020101', 'hex') }, /version/],
    ['a point off its curve', { spki: offCurve }, /not on its curve/],
    ['a compressed point', { spki: encodeSpki('ecdsa-p256', compressed) }, /compressed/],
    ['a hybrid point', { spki: encodeSpki('ecdsa-p256', hybrid) }, /uncompressed form/],
    ['the point at infinity', { spki: encodeSpki('ecdsa-p256', Buffer.of(0)) }, /length/],
    ['a curve that is not offered', { spki: p521 }, /P-256 or P-384/],
    ['an Ed25519 point of small order', { spki: smallOrder }, /small order/],
    [
      'an Ed25519 point not in canonical form',
      { spki: encodeSpki('ed25519', Buffer.alloc(32, 0xff)) },
      /canonical/,
    ],
    [
      'an algorithm of another key',
      { signatureIdentifier: signatureIdentifiers.rsaSha256 },
      /does not go with/,
    ],
    ['SHA-1', { signatureIdentifier: sequence(oid('1.2.840.10045.4.1')) }, /does not go with/],
    ['an empty RDN', { subject: sequence(set()) }, /subject/],
    [
      'a subject that is not UTF-8',
      { subject: sequence(set(sequence(oid('2.5.4.3'), encode(12, Buffer.of(0xff))))) },
      /UTF-8/,
    ],
    ['no attributes field', { attributes: Buffer.alloc(0) }, /attributes/],
    ['an attribute nested too deeply', { attributes: encode(0xa0, attribute(nested)) }, /too deeply/],
    [
      'the same attribute twice',
      { attributes: encode(0xa0, attribute(version), attribute(version)) },
      /twice/,
    ],
    ['an attribute without value', { attributes: encode(0xa0, sequence(oid('1.2.3'), set())) }, /no value/],
    [
      'a NUL in a requested name',
      {
        attributes: encode(
          0xa0,
          attribute(
            sequence(
              sequence(oid('2.5.29.17'), encode(4, sequence(encode(0x82, Buffer.from('a.org\0.evil'))))),
            ),
            '1.2.840.113549.1.9.14',
          ),
        ),
      },
      /printable ASCII/,
    ],
  ])('refuses %s', async (_, parts, message) => {
    await refuses(await assemble(parts), 'InvalidArgument', message);
  });

  it.each<[string, number, bigint, RegExp]>([
    ['1024 bits', 1024, 65_537n, /1024 bits/],
    ['2560 bits', 2560, 65_537n, /2560 bits/],
    ['8192 bits', 8192, 65_537n, /8192 bits/],
    ['exponent 3', 2048, 3n, /exponent/],
    ['exponent 1', 2048, 1n, /exponent/],
    ['an even exponent', 2048, 65_538n, /exponent/],
    ['a long exponent', 2048, 2n ** 40n + 1n, /exponent/],
    ['a modulus with a small factor', 2048, 65_537n, /factored/],
  ])('refuses an RSA key with %s', async (_, bits, exponent, message) => {
    // 3 * 2^(bits-2) has the right length and the factor 3; what is judged before does not get that far.
    const integer = (value: bigint) => {
      const hex = value.toString(16);
      return encode(
        2,
        Buffer.from(`${hex.length % 2 ? '0' : '00'}${hex}`, 'hex').subarray(
          /^[89a-f]/.test(hex) || hex.length % 2 ? 0 : 1,
        ),
      );
    };
    const key = sequence(integer(3n * 2n ** BigInt(bits - 2) + 3n), integer(exponent));
    await refuses(await assemble({ spki: encodeSpki('rsa-2048', key) }), 'InvalidArgument', message);
  });

  it.each<[string, Uint8Array, RegExp]>([
    ['nothing', Buffer.alloc(0), /cut short/],
    ['trailing data', Buffer.concat([valid, Buffer.of(0)]), /trailing/],
    ['a cut end', valid.subarray(0, -1), /cut short/],
    [
      'an indefinite length',
      Buffer.concat([Buffer.of(0x30, 0x80), valid.subarray(3), Buffer.of(0, 0)]),
      /indefinite/,
    ],
    [
      'a length that is not minimal',
      Buffer.concat([Buffer.of(0x30, 0x83, 0), valid.subarray(2)]),
      /minimal|short/,
    ],
  ])('refuses %s', async (_, der, message) => {
    await refuses(der, 'InvalidArgument', message);
  });

  it('refuses a signature by another key, and one that was changed', async () => {
    const other = await signerOf('ecdsa-p256');
    await refuses(await assemble({ spki: other.publicKey }), 'InvalidArgument', /not by its key/);
    for (const at of [1, 9, 20]) {
      const changed = Buffer.from(valid);
      changed[changed.length - at] = (changed.at(-at) ?? 0) ^ 1;
      await refuses(changed, 'InvalidArgument', /./);
    }
  });

  it('refuses what is too large, before it reads it', async () => {
    await refuses(Buffer.alloc(16 * 1024 + 1, 0x30), 'ResourceExhausted', /16 KiB/);
    await refuses('A'.repeat(24 * 1024 + 1), 'ResourceExhausted', /16 KiB/);
  });

  it.each<[string, string]>([
    ['empty text', ''],
    ['two blocks', pem + pem],
    ['a certificate', pem.replaceAll('CERTIFICATE REQUEST', 'CERTIFICATE')],
    ['text before', `hello\n${pem}`],
    ['text after', `${pem}hello`],
    ['a NUL', pem.replace('M', '\0M')],
    ['labels that differ', pem.replace('END CERTIFICATE REQUEST', 'END NEW CERTIFICATE REQUEST')],
    ['headers', pem.replace('-----\n', '-----\nProc-Type: 4,ENCRYPTED\n\n')],
    ['base64 that is not canonical', pem.replace(/\n([^\n]*)\n-----END/, '\n$1A\n-----END')],
  ])('refuses %s for PEM', async (_, text) => {
    await refuses(text, 'InvalidArgument', /certificate request/);
  });

  it('takes white space around PEM and CRLF within', async () => {
    const { publicKey } = await readCertificateRequest(`\n  ${pem.replaceAll('\n', '\r\n')}\n \n`);
    expect(Buffer.from(publicKey.spki).equals(signer.publicKey)).toBe(true);
  });
});

describe('isWeakModulus', () => {
  it('knows the fingerprint of ROCA and small factors, and lets real keys pass', async () => {
    // Primes of that generator are k * M + 65537^a mod M; their product is 65537^(a+b) modulo M.
    const primes = [
      2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47, 53, 59, 61, 67, 71, 73, 79, 83, 89, 97, 101,
      103, 107, 109, 113, 127, 131, 137, 139, 149, 151, 157, 163, 167,
    ];
    const product = primes.reduce((all, prime) => all * BigInt(prime), 1n);
    const modulus = 2n ** 1800n * product + 65_537n ** 5n;
    expect(isWeakModulus(modulus)).toBe(true);
    expect(isWeakModulus(2n ** 1800n * product + 1n)).toBe(true);
    expect(isWeakModulus(751n * (2n ** 2000n + 1n))).toBe(true);
    const jwk = (await generateKeyPair('rsa-2048')).privateKey.export({ format: 'jwk' });
    expect(isWeakModulus(BigInt(`0x${Buffer.from(jwk.n ?? '', 'base64url').toString('hex')}`))).toBe(false);
  });
});

describe('fuzzed', () => {
  const infoLength = valid.readUInt8(4) < 0x80 ? valid.readUInt8(4) + 2 : valid.readUInt8(5) + 3;
  const info = valid.subarray(
    valid.indexOf(Buffer.of(0x30), 1),
    valid.indexOf(Buffer.of(0x30), 1) + infoLength,
  );
  const mutation = fc.array(
    fc.record({
      at: fc.nat({ max: info.length - 1 }),
      kind: fc.constantFrom('set', 'flip', 'insert', 'delete'),
      value: fc.nat({ max: 255 }),
    }),
    { minLength: 1, maxLength: 3 },
  );

  function mutate(bytes: Buffer, changes: readonly { at: number; kind: string; value: number }[]): Buffer {
    let octets = [...bytes];
    for (const { at, kind, value } of changes) {
      if (kind === 'set') octets[at] = value;
      if (kind === 'flip') octets[at] = (octets[at] ?? 0) ^ (1 << (value & 7));
      if (kind === 'insert') octets = [...octets.slice(0, at), value, ...octets.slice(at)];
      if (kind === 'delete') octets.splice(at, 1);
    }
    return Buffer.from(octets);
  }

  it('accepts nothing that @peculiar/x509 and OpenSSL do not, and reads the same key', async () => {
    let accepted = 0;
    await fc.assert(
      fc.asyncProperty(mutation, async (changes) => {
        // Signed anew, so that the signature does not hide what the reader would take.
        const changed = mutate(info, changes);
        const request = sequence(
          changed,
          signatureIdentifiers.ecdsaSha256,
          bitString(await signer.sign(changed)),
        );
        let spki: Uint8Array;
        try {
          ({ spki } = (await readCertificateRequest(request)).publicKey);
        } catch (error) {
          expect(isCitadelError(error, 'InvalidArgument')).toBe(true);
          return;
        }
        accepted++;
        const peculiar = new x509.Pkcs10CertificateRequest(new Uint8Array(request));
        expect(await peculiar.verify()).toBe(true);
        expect(Buffer.from(peculiar.publicKey.rawData).equals(spki)).toBe(true);
        const text = openssl(
          { csr: request },
          'req',
          '-inform',
          'DER',
          '-in',
          '@csr',
          '-verify',
          '-noout',
          '-pubkey',
        );
        expect(text).toContain(toPem(spki, 'PUBLIC KEY'));
      }),
      { numRuns: 1000 },
    );
    expect(accepted).toBeGreaterThan(5);
  });

  it('never throws anything but CitadelError at random octets and text', async () => {
    const input = fc.oneof(
      fc.uint8Array({ maxLength: 200 }),
      fc.string({ maxLength: 200 }),
      mutation.map((changes) => mutate(valid, changes)),
      mutation.map((changes) => mutate(Buffer.from(pem), changes).toString('latin1')),
    );
    await fc.assert(
      fc.asyncProperty(input, async (request) => {
        const outcome = await readCertificateRequest(request).catch((error: unknown) => error);
        if (outcome instanceof Error) expect(isCitadelError(outcome)).toBe(true);
      }),
      { numRuns: 1000 },
    );
  });
});
