import { generateKeyPairSync } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { readInlineKeys } from '../../../../../src/domain/policy/index.ts';
import { faults, sound } from './parts.ts';

const app = { selector: { matchLabels: { app: 'web' } } };

describe('a PeerAuthentication', () => {
  it('is read with modes of ports, in the order of the ports', () => {
    const spec = { ...app, mtls: { mode: 'STRICT' }, portLevelMtls: { 8080: { mode: 'DISABLE' }, 90: {} } };
    expect(sound('PeerAuthentication', spec)).toMatchObject({ selector: { app: 'web' }, mode: 'STRICT' });
    expect([...sound('PeerAuthentication', spec).portLevel]).toEqual([
      [90, 'UNSET'],
      [8080, 'DISABLE'],
    ]);
  });

  it.each<[string, unknown]>([
    ['without mtls', {}],
    ['with an empty mtls', { mtls: {} }],
    ['with an empty selector', { selector: {}, mtls: { mode: 'STRICT' } }],
  ])('inherits %s', (_, spec) => {
    expect(sound('PeerAuthentication', spec).selector).toBeUndefined();
    expect(sound('PeerAuthentication', { ...app }).mode).toBe('UNSET');
  });

  it.each<[string, unknown, string]>([
    [
      'modes of ports without a selector',
      { portLevelMtls: { 80: {} } },
      'spec.portLevelMtls: modes of ports need a selector',
    ],
    [
      'modes of ports with an empty selector',
      { selector: { matchLabels: {} }, portLevelMtls: { 80: {} } },
      'modes of ports need a selector',
    ],
    ['no modes of ports', { ...app, portLevelMtls: {} }, 'spec.portLevelMtls: must not be empty'],
    [
      'more ports than a proxy has chains for',
      { ...app, portLevelMtls: Object.fromEntries(Array.from({ length: 65 }, (_, n) => [n + 1, {}])) },
      'spec.portLevelMtls: must not hold more than 64 ports; set mtls.mode for all ports',
    ],
    ['port 0', { ...app, portLevelMtls: { 0: {} } }, 'spec.portLevelMtls.0: "0" is no port'],
    [
      'a port with a zero in front, as a second 80',
      { ...app, portLevelMtls: { '080': {} } },
      '"080" is no port',
    ],
    ['port 65536', { ...app, portLevelMtls: { 65536: {} } }, 'is no port'],
    ['a port by name', { ...app, portLevelMtls: { http: {} } }, 'spec.portLevelMtls.http: "http" is no port'],
    [
      'an unknown mode',
      { mtls: { mode: 'strict' } },
      'spec.mtls.mode: must be one of UNSET, DISABLE, PERMISSIVE, STRICT; did you mean STRICT?',
    ],
    ['targetRefs', { targetRefs: [] }, 'spec.targetRefs: unknown key'],
    ['the older portLevelMTLS', { ...app, portLevelMTLS: {} }, 'did you mean portLevelMtls?'],
  ])('refuses %s', (_, spec, expected) => {
    expect(faults('PeerAuthentication', spec)).toContain(expected);
  });
});

const key = generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey.export({ format: 'jwk' });
const jwks = JSON.stringify({ keys: [{ ...key, kid: 'a' }] });
const issuer = 'https://issuer.example';
const jwtRule = (given: object) => ({ jwtRules: [{ issuer, ...given }] });

describe('a RequestAuthentication', () => {
  it('is read with its defaults', () => {
    expect(sound('RequestAuthentication', { jwtRules: [{ issuer }] }).jwtRules).toEqual([
      {
        issuer,
        audiences: [],
        jwks: undefined,
        jwksUri: undefined,
        fromHeaders: [],
        fromParams: [],
        fromCookies: [],
        outputPayloadToHeader: undefined,
        outputClaimToHeaders: [],
        forwardOriginalToken: false,
        timeout: 5000,
        spaceDelimitedClaims: [],
      },
    ]);
    expect(sound('RequestAuthentication', {}).jwtRules).toEqual([]);
  });

  it('is read with every field', () => {
    const given = {
      issuer,
      audiences: ['a'],
      jwksUri: 'https://issuer.example/keys',
      fromHeaders: [{ name: 'x-token', prefix: 'Bearer ' }, { name: 'y' }],
      fromParams: ['token'],
      fromCookies: ['session'],
      outputPayloadToHeader: 'x-payload',
      outputClaimToHeaders: [{ header: 'x-sub', claim: 'sub' }],
      forwardOriginalToken: true,
      timeout: '1.5s',
      spaceDelimitedClaims: ['roles', 'provider.login.scope'],
    };
    expect(sound('RequestAuthentication', { ...app, jwtRules: [given] })).toMatchObject({
      selector: { app: 'web' },
      jwtRules: [
        {
          ...given,
          timeout: 1500,
          jwks: undefined,
          fromHeaders: [given.fromHeaders[0], { name: 'y', prefix: '' }],
        },
      ],
    });
  });

  it('keeps inline keys as they are written, and gives proxies what verifies', () => {
    expect(sound('RequestAuthentication', jwtRule({ jwks })).jwtRules[0]?.jwks).toBe(jwks);
    const pair = generateKeyPairSync('ed25519').privateKey.export({ format: 'jwk' });
    const { d, ...open } = pair;
    const text = JSON.stringify({
      keys: [{ ...key, kid: 'a', x5t: 'z' }, { kty: 'AKP' }, { ...pair, kid: 'b' }],
      more: 1,
    });
    const read = readInlineKeys(text);
    expect(d).toBeTruthy();
    expect(read).toMatchObject({
      passedOver: ['key 1 is of a kind that proxies do not know, "AKP"'],
      secret: ['key 2 (kid "b")'],
    });
    expect(JSON.parse('jwks' in read ? read.jwks : '')).toEqual({
      keys: [
        { ...key, kid: 'a' },
        { ...open, kid: 'b' },
      ],
    });
  });

  it('takes the keys’ address under the name of the protocol too', () => {
    const spec = { jwtRules: [{ issuer, jwks_uri: 'https://a.example/k' }] };
    expect(sound('RequestAuthentication', spec).jwtRules[0]?.jwksUri).toBe('https://a.example/k');
  });

  it('may leave out the issuer where the address of the keys is named', () => {
    const spec = { jwtRules: [{ jwksUri: 'https://a.example/k' }] };
    expect(sound('RequestAuthentication', spec).jwtRules[0]?.issuer).toBeUndefined();
  });

  it('takes an empty list for none', () => {
    const empty = {
      audiences: [],
      fromHeaders: [],
      fromParams: [],
      fromCookies: [],
      outputClaimToHeaders: [],
      spaceDelimitedClaims: [],
    };
    expect(sound('RequestAuthentication', jwtRule(empty))).toEqual(
      sound('RequestAuthentication', jwtRule({})),
    );
  });

  it.each<[string, object]>([
    ['a set', { jwks }],
    ['a shared key, as Envoy does', { jwks: JSON.stringify({ keys: [{ kty: 'oct', k: 'AAAA' }] }) }],
    ['http', { jwksUri: 'http://issuer.example/keys' }],
    ['minutes', { timeout: '1m' }],
  ])('takes %s', (_, given) => {
    expect(faults('RequestAuthentication', jwtRule(given))).toBe('');
  });

  it.each<[string, object, string]>([
    [
      'neither an issuer nor the address of its keys',
      { issuer: undefined },
      'spec.jwtRules[0].issuer: is required where there is no jwksUri',
    ],
    [
      'inline keys of no issuer',
      { issuer: undefined, jwks },
      'issuer: is required where there is no jwksUri',
    ],
    ['an empty issuer', { issuer: '' }, 'issuer: must not be empty'],
    [
      'jwks and jwksUri',
      { jwks, jwksUri: 'https://a/b' },
      'spec.jwtRules[0].jwksUri: only one of jwks and jwksUri',
    ],
    ['jwks that is no JSON', { jwks: 'keys' }, 'spec.jwtRules[0].jwks: is no JSON object'],
    ['jwks without keys', { jwks: '{"keys": []}' }, 'jwks: holds no key'],
    ['jwks that is a list', { jwks: '[]' }, 'jwks: is no JSON object'],
    ['jwks whose keys are no list', { jwks: '{"keys": {}}' }, 'jwks: has keys that are no list'],
    [
      'a key by itself, which Envoy does not take',
      { jwks: JSON.stringify(key) },
      'jwks: has no keys; put the key into a set',
    ],
    ['a key that is no object', { jwks: '{"keys": ["a"]}' }, 'jwks: key 0 is no object'],
    [
      'jwks of which proxies know nothing',
      { jwks: '{"keys": [{"kty": "AKP"}, {"kty": "EC", "crv": "secp256k1"}]}' },
      'jwks: holds no key that a proxy can verify with: key 0 is of a kind that proxies do not know, "AKP"; key 1 is on a curve',
    ],
    [
      'a broken key beside a good one, by its kid',
      { jwks: JSON.stringify({ keys: [key, { ...key, kid: 'old', y: key.x }] }) },
      'jwks: key 1 (kid "old") is no point on P-256; copy the key whole',
    ],
    [
      'too many keys',
      { jwks: JSON.stringify({ keys: Array.from({ length: 101 }, () => key) }) },
      'jwks: must not hold more than 100 keys',
    ],
    [
      'a long address',
      { jwksUri: `https://a/${'b'.repeat(2040)}` },
      'must not be longer than 2048 characters',
    ],
    [
      'too many claims that are words',
      { spaceDelimitedClaims: Array.from({ length: 65 }, (_, index) => `c${index}`) },
      'spaceDelimitedClaims: must not hold more than 64',
    ],
    ['a claim without a name', { spaceDelimitedClaims: [''] }, 'spaceDelimitedClaims[0]: must not be empty'],
    ['jwks with keys of no kind', { jwks: '{"keys": [{}]}' }, 'jwks: key 0 has no kty'],
    [
      'jwks with a broken key',
      { jwks: '{"keys": [{"kty": "RSA", "n": "AQAB"}]}' },
      'jwks: key 0 has no e in base64url',
    ],
    ['jwks as an object', { jwks: { keys: [] } }, 'jwks: Invalid input: expected string'],
    [
      'a URI without a scheme',
      { jwksUri: 'issuer.example/keys' },
      'jwksUri: "issuer.example/keys" is no URL of a key set; write https://HOST/PATH',
    ],
    ['a URI of a file', { jwksUri: 'file:///etc/passwd' }, 'is no URL of a key set'],
    ['a URI with a password', { jwksUri: 'https://a:b@c/' }, 'must not hold a password'],
    ['an empty audience', { audiences: [''] }, 'audiences[0]: must not be empty'],
    [
      'a prefix with a line end, which Envoy refuses',
      { fromHeaders: [{ name: 'x', prefix: 'a\nb' }] },
      'fromHeaders[0].prefix: must not hold line ends',
    ],
    ['a header without a name', { fromHeaders: [{ prefix: 'x' }] }, 'fromHeaders[0].name: is required'],
    ['an empty name of a header', { fromHeaders: [{ name: '' }] }, 'fromHeaders[0].name: must not be empty'],
    ['a name that no header has', { fromHeaders: [{ name: 'x y' }] }, 'can be no name of a header'],
    ['a header as text', { fromHeaders: ['x'] }, 'fromHeaders[0]: Invalid input: expected object'],
    ['an empty parameter', { fromParams: [''] }, 'fromParams[0]: must not be empty'],
    ['an empty cookie', { fromCookies: [''] }, 'fromCookies[0]: must not be empty'],
    [
      'an output header with a colon',
      { outputClaimToHeaders: [{ header: 'a:b', claim: 'c' }] },
      'outputClaimToHeaders[0].header: "a:b" may hold letters',
    ],
    [
      'an output without a claim',
      { outputClaimToHeaders: [{ header: 'a' }] },
      'outputClaimToHeaders[0].claim: is required',
    ],
    [
      'an output header twice',
      {
        outputClaimToHeaders: [
          { header: 'a', claim: 'c' },
          { header: 'A', claim: 'd' },
        ],
      },
      'outputClaimToHeaders[1].header: the header A is written twice',
    ],
    ['a time of nothing', { timeout: '0s' }, 'timeout: "0s" is no time to wait'],
    ['a time without a unit', { timeout: '5' }, 'timeout: "5" is no time to wait; write it as 5s'],
    [
      'both names of the keys’ address',
      { jwksUri: 'https://a/b', jwks_uri: 'https://a/b' },
      'spec.jwtRules[0].jwks_uri: only one of jwks and jwksUri',
    ],
  ])('refuses %s', (_, given, expected) => {
    expect(faults('RequestAuthentication', jwtRule(given))).toContain(expected);
  });
});
