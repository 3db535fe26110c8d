import { type IncomingHttpHeaders } from 'node:http';
import { describe, expect, test } from 'vitest';
import { exchange, freePort, hasPart, waitFor } from '../../parts/index.ts';
import { createApplication } from '../../support/http-application.ts';
import { startApplication, startTestMesh } from '../../support/mesh.ts';
import { registryText } from '../../support/registry.ts';

interface Authorizer extends AsyncDisposable {
  readonly port: number;
  /** Paths that it was asked about, and with which headers. */
  readonly asked: { readonly path: string; readonly headers: IncomingHttpHeaders }[];
  close(): Promise<void>;
}

/** Says yes to whoever brings the right key. */
async function startAuthorizer(): Promise<Authorizer> {
  const asked: Authorizer['asked'] = [];
  const server = createApplication((request, response) => {
    asked.push({ path: request.url ?? '', headers: request.headers });
    response.statusCode = request.headers['x-key'] === 'open' ? 200 : 403;
    response.end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the authorizer has no port');
  const close = () =>
    new Promise<void>((resolve) => {
      server.closeAllConnections();
      server.close(() => resolve());
    });
  return { port: address.port, asked, close, [Symbol.asyncDispose]: close };
}

const registry = (port: number, application: number) =>
  registryText([{ name: 'orders', ports: [{ port, application }] }]);

const authorizerService = (port: number) => `
apiVersion: citadel.dev/v1
kind: Service
metadata: {namespace: auth, name: keys}
spec:
  ports: [{port: 80}]
  endpoints: ["127.0.0.1:${port}"]
`;

const custom = (provider: string) => `
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {namespace: shop, name: ask}
spec:
  action: CUSTOM
  provider: {name: ${provider}}
  rules: [{to: [{operation: {paths: ["/guarded*"]}}]}]
`;

const provider = {
  name: 'keys',
  protocol: 'http',
  service: 'auth/keys',
  port: 80,
  pathPrefix: '/check',
  includeHeaders: ['x-key'],
};

describe.skipIf(!hasPart('envoy'))('a CUSTOM policy', () => {
  test('asks the provider about what it matches and nothing else, and denies while nobody answers', async () => {
    await using application = await startApplication('orders');
    await using authorizer = await startAuthorizer();
    const port = await freePort();
    await using mesh = await startTestMesh({
      registry: {
        'shop.yaml': registry(port, application.port),
        'auth.yaml': authorizerService(authorizer.port),
        'ask.yaml': custom('keys'),
      },
      mesh: { authorizationProviders: [provider] },
    });
    await mesh.startWorkload('orders', 'orders');
    const get = async (path: string, headers: Record<string, string> = {}) =>
      (await exchange(`http://127.0.0.1:${port}${path}`, { headers })).status;

    await waitFor(async () => (await get('/guarded/1')) === 403, { what: 'the provider to be asked' });
    expect(await get('/guarded/1', { 'x-key': 'open', 'x-secret': 's' })).toBe(200);
    const before = authorizer.asked.length;
    expect(authorizer.asked.at(-1)?.path).toBe('/check/guarded/1');
    expect(authorizer.asked.at(-1)?.headers).not.toHaveProperty('x-secret');
    expect(await get('/open')).toBe(200);
    expect(authorizer.asked.length).toBe(before);

    await authorizer.close();
    expect(await get('/guarded/1', { 'x-key': 'open' })).toBe(403);
    expect(await get('/open')).toBe(200);
  });

  test('of a provider that is in no registry, or that nobody configured, denies what it matches', async () => {
    await using application = await startApplication('orders');
    const port = await freePort();
    await using mesh = await startTestMesh({
      registry: {
        'shop.yaml': registry(port, application.port),
        'ask.yaml': custom('keys'),
      },
      mesh: { authorizationProviders: [provider] },
    });
    await mesh.startWorkload('orders', 'orders');
    const get = async (path: string) => (await exchange(`http://127.0.0.1:${port}${path}`)).status;
    expect(await get('/guarded')).toBe(403);
    expect(await get('/open')).toBe(200);
    await mesh.write('ask.yaml', custom('nobody'));
    await waitFor(
      () =>
        mesh.server.app.controlPlane
          ?.proxies()
          .every(({ resources }) => resources.every(({ accepted, wanted }) => accepted === wanted)),
      {
        what: 'the other policy to be accepted',
      },
    );
    expect(await get('/guarded')).toBe(403);
    expect(await get('/open')).toBe(200);
  });
});
