import {
  constants,
  createHmac,
  generateKeyPairSync,
  type KeyObject,
  type SignKeyObjectInput,
  sign,
} from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { judgeJwk, readInlineKeys } from '../../../src/domain/policy/index.ts';
import { exchange, hasPart, startEnvoy, temporaryDirectory } from '../../parts/index.ts';

interface Pair {
  readonly publicKey: KeyObject;
  readonly privateKey: KeyObject;
}

type Signer = (data: Buffer) => Buffer;

interface Case {
  readonly name: string;
  /** As a set holds it. */
  readonly key: object;
  readonly alg: string;
  readonly signature: Signer;
  readonly judged: 'usable' | 'other' | 'broken';
  /** Envoy verifies with it, and an RFC says that it should not. */
  readonly laxer?: true;
}

const signer =
  ({ privateKey }: Pair, hash: string | null, options: Omit<SignKeyObjectInput, 'key'> = {}): Signer =>
  (data) =>
    sign(hash, data, { key: privateKey, dsaEncoding: 'ieee-p1363', ...options });
const jwk = ({ publicKey }: Pair, more: object = {}) => ({ ...publicKey.export({ format: 'jwk' }), ...more });

const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 });
const three = generateKeyPairSync('rsa', { modulusLength: 2048, publicExponent: 3 });
const seventeen = generateKeyPairSync('rsa', { modulusLength: 2048, publicExponent: 17 });
const short = generateKeyPairSync('rsa', { modulusLength: 1024 });
const p256 = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const p384 = generateKeyPairSync('ec', { namedCurve: 'P-384' });
const p521 = generateKeyPairSync('ec', { namedCurve: 'P-521' });
const k256 = generateKeyPairSync('ec', { namedCurve: 'secp256k1' });
const ed25519 = generateKeyPairSync('ed25519');
const ed448 = generateKeyPairSync('ed448');
const secret = Buffer.from('a secret that two share, long enough');
const hmac: Signer = (data) => createHmac('sha256', secret).update(data).digest();
const k = secret.toString('base64url');
const pss = { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: 32 };
const { x: pointX = '' } = p256.publicKey.export({ format: 'jwk' });
const { n: modulus = '' } = rsa.publicKey.export({ format: 'jwk' });
const even = Buffer.from(modulus, 'base64url');
even[even.length - 1] = (even.at(-1) ?? 0) & 0xfe;

const row = (
  name: string,
  judged: Case['judged'],
  key: object,
  alg: string,
  signature: Signer,
  more: Pick<Case, 'laxer'> = {},
): Case => ({ name, judged, key, alg, signature, ...more });
const ofRsa = (name: string, judged: Case['judged'], more: object, alg = 'RS256') =>
  row(name, judged, jwk(rsa, more), alg, signer(rsa, 'sha256'));
const ofP256 = (name: string, judged: Case['judged'], more: object) =>
  row(name, judged, jwk(p256, more), 'ES256', signer(p256, 'sha256'));
const ofEd = (name: string, judged: Case['judged'], more: object, alg = 'EdDSA') =>
  row(name, judged, jwk(ed25519, more), alg, signer(ed25519, null));

const cases: readonly Case[] = [
  ofRsa('RSA', 'usable', {}),
  ofRsa('RSA that says what for', 'usable', { alg: 'RS256', use: 'sig', kid: 'a' }),
  row('RSA for PSS', 'usable', jwk(rsa, { alg: 'PS256' }), 'PS256', signer(rsa, 'sha256', pss)),
  row('RSA with the exponent 3', 'usable', jwk(three), 'RS256', signer(three, 'sha256')),
  ofRsa('RSA, padded', 'usable', { n: `${modulus}==` }),
  ofP256('EC on P-256', 'usable', { alg: 'ES256' }),
  row('EC on P-384', 'usable', jwk(p384), 'ES384', signer(p384, 'sha384')),
  row('EC on P-521', 'usable', jwk(p521, { alg: 'ES512' }), 'ES512', signer(p521, 'sha512')),
  ofEd('Ed25519', 'usable', { alg: 'EdDSA' }),
  row('a shared key', 'usable', { kty: 'oct', k, alg: 'HS256' }, 'HS256', hmac),
  ofRsa('RSA that says ES256', 'broken', { alg: 'ES256' }),
  ofRsa('RSA for encryption', 'other', { alg: 'RSA-OAEP' }),
  row('RSA with the exponent 17', 'broken', jwk(seventeen), 'RS256', signer(seventeen, 'sha256')),
  ofRsa('RSA without n', 'broken', { n: undefined }),
  ofRsa('RSA with n as a list', 'broken', { n: [modulus] }),
  ofRsa('RSA with an even modulus', 'broken', { n: even.toString('base64url') }),
  ofP256('EC that says ES384', 'broken', { alg: 'ES384' }),
  ofP256('EC without y', 'broken', { y: undefined }),
  ofP256('a point off the curve', 'broken', { y: pointX }),
  ofRsa('RSA in base64 that is no base64url', 'broken', {
    n: modulus.replaceAll('-', '+').replaceAll('_', '/'),
  }),
  row('EC on secp256k1', 'other', jwk(k256), 'ES256K', signer(k256, 'sha256')),
  ofEd('Ed25519 that says so', 'other', { alg: 'Ed25519' }),
  ofEd('Ed25519 that says ES256', 'broken', { alg: 'ES256' }),
  ofEd('Ed25519 that is too short', 'broken', { x: 'AAAA' }),
  ofEd('Ed25519 without a curve', 'broken', { crv: undefined }),
  row('Ed448', 'other', jwk(ed448), 'EdDSA', signer(ed448, null)),
  row('a shared key of nothing', 'broken', { kty: 'oct', k: '' }, 'HS256', hmac),
  row('a shared key that says RS256', 'broken', { kty: 'oct', k, alg: 'RS256' }, 'HS256', hmac),
  ofRsa('a kind of the future', 'other', { kty: 'AKP' }),
  ofRsa('a kind that is missing', 'broken', { kty: undefined }),
  row('RSA of 1024 bits', 'broken', jwk(short), 'RS256', signer(short, 'sha256'), { laxer: true }),
  { ...ofRsa('RSA whose use is encryption', 'other', { use: 'enc' }), laxer: true },
  { ...ofP256('EC without a curve', 'broken', { crv: undefined }), laxer: true },
  { ...ofRsa('RSA with a kid that is no text', 'broken', { kid: 7 }), laxer: true },
];

const issuer = 'https://issuer.example';

function tokenOf({ alg, signature }: Case): string {
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const claims = { iss: issuer, sub: 'sue', exp: Math.floor(Date.now() / 1000) + 600 };
  const signed = `${part({ alg })}.${part(claims)}`;
  return `${signed}.${signature(Buffer.from(signed)).toString('base64url')}`;
}

/** A listener for each set, which Envoy takes or refuses by itself; a token of one of its keys is answered with 200. */
function listenerOf([name, jwks]: readonly [string, string]): object {
  const prefix = 'type.googleapis.com/envoy.extensions.filters';
  const jwt = {
    '@type': `${prefix}.http.jwt_authn.v3.JwtAuthentication`,
    providers: { one: { issuer, local_jwks: { inline_string: jwks } } },
    rules: [{ match: { prefix: '/' }, requires: { provider_name: 'one' } }],
  };
  const route = { match: { prefix: '/' }, direct_response: { status: 200 } };
  const manager = {
    '@type': `${prefix}.network.http_connection_manager.v3.HttpConnectionManager`,
    stat_prefix: 'keys',
    http_filters: [
      { name: 'jwt', typed_config: jwt },
      { name: 'router', typed_config: { '@type': `${prefix}.http.router.v3.Router` } },
    ],
    route_config: { virtual_hosts: [{ name: 'all', domains: ['*'], routes: [route] }] },
  };
  return {
    '@type': 'type.googleapis.com/envoy.config.listener.v3.Listener',
    name,
    address: { socket_address: { address: '127.0.0.1', port_value: 0 } },
    filter_chains: [{ filters: [{ name: 'http', typed_config: manager }] }],
  };
}

const setOf = (...keys: readonly object[]) => JSON.stringify({ keys });
const [good, ...rest] = cases;
const broken = rest.find(({ judged }) => judged === 'broken');
if (!good || !broken) throw new Error('there is no such case');

describe.skipIf(!hasPart('envoy'))('keys of tokens, judged by a real Envoy', () => {
  const stack = new AsyncDisposableStack();
  let ports: ReadonlyMap<string, number>;
  const sets = new Map<string, string>([
    ...cases.flatMap(({ key }, index): [string, string][] => {
      const read = readInlineKeys(setOf(key));
      const given: [string, string][] = 'message' in read ? [] : [[`given-${index}`, read.jwks]];
      return [[`written-${index}`, setOf(key)], ...given];
    }),
    ['with-a-broken-one', setOf(broken.key, good.key)],
    ['none', '{"keys":[]}'],
    ['one-by-itself', JSON.stringify(good.key)],
  ]);
  beforeAll(async () => {
    const directory = stack.use(await temporaryDirectory('keys'));
    const path = directory.join('listeners.json');
    writeFileSync(path, JSON.stringify({ resources: [...sets].map(listenerOf) }));
    const envoy = stack.use(
      await startEnvoy({
        bootstrap: {
          node: { id: 'keys', cluster: 'keys' },
          dynamic_resources: { lds_config: { path_config_source: { path } } },
        },
        logLevel: 'error',
      }),
    );
    await envoy.waitLive();
    const { listener_statuses: found } = listenersSchema.parse(
      await envoy.adminJson('/listeners?format=json'),
    );
    ports = new Map(
      found.map(({ name, local_address: { socket_address: at } }) => [name, at.port_value] as const),
    );
  }, 60_000);
  afterAll(() => stack.disposeAsync());

  /** 0 where Envoy has refused the set. */
  const status = async (set: string, one: Case) => {
    const port = ports.get(set);
    if (port === undefined) return 0;
    const headers = { authorization: `Bearer ${tokenOf(one)}` };
    return (await exchange(`http://127.0.0.1:${port}/`, { headers })).status;
  };

  test.each(cases.map((one, index) => ({ ...one, index, one })))(
    '$name: $judged',
    async ({ one, index, key, judged, laxer }) => {
      expect(judgeJwk(JSON.parse(JSON.stringify(key))).is).toBe(judged);
      const takes = judged === 'usable' || laxer === true;
      // It takes a key for RSA by the first letters of its alg, and then no token is signed by that.
      const lost = one.name === 'RSA for encryption' ? 401 : 0;
      expect(await status(`written-${index}`, one), 'as it was written').toBe(takes ? 200 : lost);
      expect(await status(`given-${index}`, one), 'as proxies get it').toBe(judged === 'usable' ? 200 : 0);
    },
  );

  test('a set is as good as what is usable of it, and must be a set', async () => {
    expect(await status('with-a-broken-one', good)).toBe(200);
    expect(await status('none', good)).toBe(0);
    expect(await status('one-by-itself', good)).toBe(0);
    expect(readInlineKeys(JSON.stringify(good.key))).toMatchObject({ message: 'has no keys' });
  });
});

const listenersSchema = z.object({
  listener_statuses: z.array(
    z.object({
      name: z.string(),
      local_address: z.object({ socket_address: z.object({ port_value: z.number() }) }),
    }),
  ),
});
