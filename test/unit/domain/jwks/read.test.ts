import { createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { readKeySet } from '../../../../src/domain/jwks/index.ts';
import { TestAuthority } from '../../../fakes/test-authority.ts';

const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 });
const jwk = (key: KeyObject, more: object = {}) => ({ ...key.export({ format: 'jwk' }), ...more });
const set = (...keys: readonly object[]) => JSON.stringify({ keys });
const good = jwk(ec.publicKey, { kid: 'a', use: 'sig', alg: 'ES256' });
const x25519 = generateKeyPairSync('x25519').publicKey;
const odd = generateKeyPairSync('rsa', { modulusLength: 2048, publicExponent: 17 }).publicKey;
const short = generateKeyPairSync('rsa', { modulusLength: 1024 }).publicKey;

describe('a key set as it is published', () => {
  test('is the same text in whatever order, with whatever beside it', () => {
    const other = jwk(rsa.publicKey, { kid: 'b' });
    const one = readKeySet(set(good, other));
    const reordered = Object.fromEntries(Object.entries({ ...good, x5t: 'x', ext: true }).toReversed());
    expect(readKeySet(JSON.stringify({ keys: [other, reordered, good], more: 1 }, null, 2))).toEqual(one);
    expect(one.keys).toBe(2);
    expect(readKeySet(one.jwks)).toEqual(one);
    expect(readKeySet(set(good)).jwks).not.toBe(one.jwks);
  });

  test('is the same text however the octets of a key are written', () => {
    expect(readKeySet(set({ ...good, x: `${good.x}=` }))).toEqual(readKeySet(set(good)));
  });

  test('keeps Ed25519 and what tells a key apart', () => {
    const ed = jwk(generateKeyPairSync('ed25519').publicKey, { kid: 'e' });
    expect(JSON.parse(readKeySet(set(ed)).jwks)).toEqual({ keys: [ed] });
  });

  test('may be certificates by their kid', async () => {
    const authority = await TestAuthority.create('id.example');
    const { chainPem, keyPem } = await authority.issueServing({ uris: ['spiffe://id.example/a'] });
    const [certificate] = chainPem;
    const key = jwk(createPublicKey(keyPem), { kid: 'one' });
    expect(readKeySet(JSON.stringify({ one: certificate }))).toEqual(readKeySet(set(key)));
    const broken = certificate.replace(/\n.{20}/, '\nAAAA');
    expect(readKeySet(JSON.stringify({ one: certificate, two: broken })).keys).toBe(1);
    expect(() => readKeySet(JSON.stringify({ two: broken }))).toThrow('holds no key');
    expect(() => readKeySet(JSON.stringify({ one: certificate, two: 'hunter2' }))).toThrow('no list of keys');
  });

  test.each([
    ['a kind from the future', { kty: 'AKP', alg: 'ML-DSA-65', pub: 'AA' }],
    ['a kind that is an object’s own word', { kty: 'constructor' }],
    ['a curve for key agreement', jwk(x25519)],
    ['a curve that Envoy does not know', { kty: 'EC', crv: 'secp256k1', x: 'AA', y: 'AA' }],
    ['an encryption key', jwk(rsa.publicKey, { use: 'enc' })],
    ['a modulus below 2048 bits', jwk(short)],
    ['a key that lacks a part', { kty: 'RSA', e: 'AQAB' }],
    ['a point off the curve', { ...good, x: 'AAAA' }],
    ['a kid that is no text', { ...good, kid: 1 }],
    ['an alg of another kind of key', { ...good, alg: 'RS256' }],
    ['an alg of another curve', { ...good, alg: 'ES384' }],
    ['an alg for encryption', jwk(rsa.publicKey, { alg: 'RSA-OAEP' })],
    ['an exponent that Envoy does not take', jwk(odd)],
    ['base64 that is no base64url', { ...good, x: `${good.x} ` }],
  ])('passes over %s', (_what, key) => {
    expect(readKeySet(set(key, good))).toEqual(readKeySet(set(good)));
    expect(() => readKeySet(set(key))).toThrow('holds no key that a proxy can verify with');
  });

  test.each([
    ['a symmetric key', { kty: 'oct', k: 'c2VjcmV0' }],
    ['a private EC key', jwk(ec.privateKey)],
    ['a private RSA key', jwk(rsa.privateKey)],
    ['a private key of a newer kind', { kty: 'AKP', alg: 'ML-DSA-65', pub: 'AA', priv: 'AA' }],
  ])('is refused whole with %s', (_what, key) => {
    expect(() => readKeySet(set(good, key))).toThrow('publishes a secret: key 1 is symmetric or private');
  });

  test.each([
    ['no JSON', 'password=hunter2', 'is no JSON object'],
    ['a list', '[]', 'is no JSON object'],
    ['no list of keys', '{"keys": {}}', 'has no list of keys'],
    ['one key by itself', JSON.stringify(good), 'has no list of keys'],
    ['no key', '{"keys": []}', 'holds no key'],
    ['a text as key', '{"keys": ["hunter2"]}', 'something else than an object as key 0'],
    ['too many keys', set(...Array.from({ length: 101 }, () => good)), 'more than 100 keys'],
  ])('is refused: %s, and the text is not told', (_what, text, message) => {
    const read = () => readKeySet(text);
    expect(read).toThrow(message);
    expect(read).not.toThrow('hunter2');
  });
});
