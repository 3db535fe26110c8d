import { writeFileSync } from 'node:fs';
import { type IncomingHttpHeaders } from 'node:http';
import { type JWTPayload, SignJWT } from 'jose';
import { describe, expect, test } from 'vitest';
import {
  type JwksServer,
  newProviderKey,
  type ProviderKey,
  signToken,
  startJwksServer,
} from '../../fakes/jwks-server.ts';
import { TestAuthority } from '../../fakes/test-authority.ts';
import { exchange, freePort, hasPart, temporaryDirectory, waitFor } from '../../parts/index.ts';
import { createApplication } from '../../support/http-application.ts';
import { startTestMesh, type TestMesh } from '../../support/mesh.ts';

interface Reply {
  readonly status: number;
  /** What the application was sent. */
  readonly headers: IncomingHttpHeaders;
}

interface Shop {
  readonly mesh: TestMesh;
  readonly provider: JwksServer;
  readonly key: ProviderKey;
  readonly issuer: string;
  readonly ask: (token?: string, path?: string, more?: Readonly<Record<string, string>>) => Promise<Reply>;
  readonly claims: (more?: JWTPayload) => JWTPayload;
}

/** An application that tells what headers it got. */
async function startEcho() {
  const server = createApplication((request, response) => response.end(JSON.stringify(request.headers)));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the application has no port');
  return {
    port: address.port,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** @param rule of the RequestAuthentication, given the provider’s origin */
async function startShop(
  stack: AsyncDisposableStack,
  rule: (origin: string) => object,
  policies = '',
  prepare: (provider: JwksServer) => void = () => {},
): Promise<Shop> {
  const directory = stack.use(await temporaryDirectory());
  const authority = await TestAuthority.create('company.example');
  writeFileSync(directory.join('ca.pem'), authority.rootPem);
  const provider = stack.use(await startJwksServer(authority));
  const { host, origin } = new URL(provider.uri);
  const key = newProviderKey();
  provider.keys = [key];
  prepare(provider);
  const application = stack.use(await startEcho());
  const port = await freePort();
  const given = { issuer: origin, ...rule(origin) };
  const mesh = stack.use(
    await startTestMesh({
      mesh: {
        jwks: { allow: [host], allowLoopback: true, caFile: directory.join('ca.pem'), refresh: '1s' },
      },
      registry: {
        'shop.yaml': `
apiVersion: citadel.dev/v1
kind: Workload
metadata: {namespace: shop, name: orders, labels: {app: orders}}
spec:
  serviceAccount: orders
  addresses: [127.0.0.1]
  ports: [{port: ${port}, application: "127.0.0.1:${application.port}"}]
`,
        'policy.yaml': `
apiVersion: security.istio.io/v1
kind: RequestAuthentication
metadata: {namespace: shop, name: tokens}
spec: ${JSON.stringify({ selector: { matchLabels: { app: 'orders' } }, jwtRules: [given] })}
---${policies}`,
      },
    }),
  );
  await mesh.startWorkload('orders', 'orders');
  return {
    mesh,
    provider,
    key,
    issuer: origin,
    async ask(token, path = '/', more = {}) {
      const headers = token === undefined ? more : { ...more, authorization: `Bearer ${token}` };
      const { status, body } = await exchange(`http://127.0.0.1:${port}${path}`, { headers });
      return { status, headers: status === 200 ? JSON.parse(body) : {} };
    },
    claims: (more = {}) => {
      const exp = Math.floor(Date.now() / 1000) + 3600;
      return { iss: origin, sub: 'sue', aud: 'shop', exp, ...more };
    },
  };
}

/** A token whose header says what it should not. */
function unsigned(claims: JWTPayload, key: ProviderKey, alg = 'none'): string {
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
  return `${part({ alg, kid: key.kid })}.${part(claims)}.`;
}

const requireToken = `
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {namespace: shop, name: staff}
spec:
  selector: {matchLabels: {app: orders}}
  action: ALLOW
  rules:
    - to: [{operation: {paths: [/public]}}]
    - when: [{key: "request.auth.claims[groups]", values: [staff]}]
`;

describe.skipIf(!hasPart('envoy'))('tokens whose keys the server fetches, on real Envoys', () => {
  test('are taken when they are good, and refused whatever else they are', async () => {
    await using stack = new AsyncDisposableStack();
    const { ask, claims, key, mesh, provider } = await startShop(
      stack,
      () => ({ audiences: ['shop'] }),
      '',
      discoverable,
    );
    const status = async (token?: string) => (await ask(token)).status;
    expect(await status(await signToken(claims(), key))).toBe(200);
    expect(await status(), 'no token').toBe(200);
    const past = Math.floor(Date.now() / 1000) - 3600;
    const spki = key.publicKey.export({ type: 'spki', format: 'pem' });
    const mac = (secret: string | Buffer) =>
      new SignJWT(claims()).setProtectedHeader({ alg: 'HS256', kid: key.kid }).sign(Buffer.from(secret));
    const stranger = newProviderKey();
    const bad = {
      expired: await signToken(claims({ exp: past }), key),
      'not valid yet': await signToken(claims({ nbf: past + 7200 }), key),
      'of another issuer': await signToken(claims({ iss: 'https://evil.example' }), key),
      'alg none': unsigned(claims(), key),
      'alg None': unsigned(claims(), key, 'None'),
      'without its signature': (await signToken(claims(), key)).replace(/[^.]*$/, ''),
      'with a key of its own': await new SignJWT(claims())
        .setProtectedHeader({ alg: 'ES256', kid: key.kid, jwk: stranger.publicKey.export({ format: 'jwk' }) })
        .sign(stranger.privateKey),
      'HS256 with the public key': await mac(spki),
      'HS256 with its DER': await mac(key.publicKey.export({ type: 'spki', format: 'der' })),
      'of an unknown kid': await signToken(claims(), stranger),
      'of another key under a known kid': await signToken(claims(), { ...stranger, kid: key.kid }),
      junk: 'a.b.c',
    };
    for (const [what, token] of Object.entries(bad)) expect(await status(token), what).toBe(401);
    // Known, but not meant for here: Envoy's word for it, as in Istio, is another.
    expect(await status(await signToken(claims({ aud: 'other' }), key)), 'another audience').toBe(403);
    const { aud: _, ...forNobody } = claims();
    expect(await status(await signToken(forNobody, key)), 'no audience').toBe(403);

    // The provider’s keys are replaced: what they sign is taken after the next look, what the old one signed is not.
    const next = newProviderKey();
    expect(await status(await signToken(claims(), next))).toBe(401);
    provider.keys = [next];
    const fresh = await signToken(claims(), next);
    await waitFor(async () => (await status(fresh)) === 200, { what: 'the rotated key' });
    expect(await status(await signToken(claims(), key)), 'of a key that was taken back').toBe(401);

    // Without its provider everything goes on.
    await provider[Symbol.asyncDispose]();
    const state = () => mesh.server.app.controlPlane?.keySets()[0];
    await waitFor(() => state()?.problem, { what: 'the failure to be told' });
    expect(state()?.fetchedAt).toBeInstanceOf(Date);
    expect(await status(await signToken(claims(), next))).toBe(200);
    const { body } = await exchange(
      `http://127.0.0.1:${mesh.server.app.monitoring.address.port}/readyz?verbose`,
    );
    expect(body).toMatch(/token-keys.*old: it cannot be reached \(ECONNREFUSED\)/);
  });

  test('give claims to policies and headers, and are passed on where that is said', async () => {
    await using stack = new AsyncDisposableStack();
    const { ask, claims, key } = await startShop(
      stack,
      (origin) => ({
        jwksUri: `${origin}/jwks`,
        forwardOriginalToken: true,
        outputPayloadToHeader: 'x-payload',
        outputClaimToHeaders: [
          { header: 'x-subject', claim: 'sub' },
          { header: 'x-city', claim: 'address.city' },
        ],
      }),
      requireToken,
    );
    const staff = claims({ groups: ['dev', 'staff'], address: { city: 'Bern' } });
    const token = await signToken(staff, key);
    expect(await ask(token)).toMatchObject({
      status: 200,
      headers: { 'x-subject': 'sue', 'x-city': 'Bern', authorization: `Bearer ${token}` },
    });
    const payload = (await ask(token)).headers['x-payload'];
    expect(JSON.parse(Buffer.from(String(payload), 'base64url').toString())).toMatchObject({ sub: 'sue' });
    expect((await ask(await signToken(claims({ groups: ['dev'] }), key))).status).toBe(403);
    expect((await ask()).status).toBe(403);
    expect((await ask(undefined, '/public')).status).toBe(200);
    expect((await ask('a.b.c', '/public')).status, 'a wrong token is worse than none').toBe(401);

    // What comes of tokens comes of nothing else.
    const forged = { 'x-subject': 'root', 'X-Payload': 'e30', 'x-city': 'Rome' };
    for (const { headers } of [await ask(undefined, '/public', forged), await ask(token, '/', forged)])
      expect(Object.values(headers)).not.toEqual(expect.arrayContaining(['root']));
    expect((await ask(undefined, '/public', forged)).headers).not.toHaveProperty('x-payload');
    expect((await ask(token, '/', forged)).headers).toMatchObject({ 'x-subject': 'sue', 'x-city': 'Bern' });
    // A second token beside a good one must be good too, wherever it is.
    expect((await ask(token, '/?access_token=a.b.c')).status).toBe(401);
    expect((await ask(undefined, '/public?access_token=a.b.c')).status).toBe(401);
    for (const two of [`Bearer ${token},Bearer a.b.c`, `Bearer a.b.c,Bearer ${token}`])
      expect((await ask(undefined, '/public', { authorization: two })).status, 'sent twice').toBe(401);
  });

  test('are taken of any issuer where a rule names keys and no issuer, as in Istio', async () => {
    await using stack = new AsyncDisposableStack();
    const { ask, claims, key } = await startShop(stack, (origin) => ({
      issuer: undefined,
      jwksUri: `${origin}/jwks`,
    }));
    const other = claims({ iss: 'https://other.example' });
    expect((await ask(await signToken(other, key))).status).toBe(200);
    expect((await ask(await signToken(other, newProviderKey()))).status).toBe(401);
  });

  test('are refused where keys have never been fetched, and it is said why', async () => {
    await using stack = new AsyncDisposableStack();
    const { ask, claims, key, mesh, provider } = await startShop(
      stack,
      (origin) => ({ jwksUri: `${origin}/jwks` }),
      '',
      (jwks) => {
        jwks.answer = (_, response) => void response.writeHead(503).end();
      },
    );
    const token = await signToken(claims(), key);
    const nameless = new SignJWT(claims()).setProtectedHeader({ alg: 'ES256' });
    for (const each of [token, await nameless.sign(key.privateKey)])
      expect((await ask(each)).status).toBe(401);
    expect((await ask()).status, 'who shows no token is not concerned').toBe(200);
    expect(mesh.server.app.controlPlane?.keySets()).toMatchObject([
      { fetchedAt: undefined, problem: 'it answers with status 503' },
    ]);
    const proxies = mesh.server.app.controlPlane?.proxies() ?? [];
    expect(proxies.flatMap(({ resources }) => resources.filter(({ error }) => error))).toEqual([]);
    provider.answer = undefined;
    await waitFor(async () => (await ask(token)).status === 200, { what: 'the keys' });
    // By default the token stays here.
    expect((await ask(token)).headers.authorization).toBeUndefined();
  });
});

/** Lets the provider describe itself beside its keys. */
function discoverable(provider: JwksServer): void {
  provider.description = JSON.stringify({ issuer: new URL(provider.uri).origin, jwks_uri: provider.uri });
}
