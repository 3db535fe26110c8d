import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import { credentials, Metadata, type ServiceError, status } from '@grpc/grpc-js';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { OperatorServiceClient, Role, type WhoAmIResponse } from '../../../src/gen/citadel/v1/operator.ts';
import {
  type JwksServer,
  newProviderKey,
  type ProviderKey,
  signToken,
  startJwksServer,
} from '../../fakes/jwks-server.ts';
import { TestAuthority } from '../../fakes/test-authority.ts';
import { caught } from '../../support/observe.ts';
import { startTestServer, type TestServer } from '../../support/server.ts';

const issuer = 'https://id.company.example';

describe('operators by OIDC, their provider’s keys at an address', () => {
  const before = getCACertificates('default');
  let authority: TestAuthority;
  let jwks: JwksServer;
  let server: TestServer;
  let first: ProviderKey;

  beforeAll(async () => {
    authority = await TestAuthority.create('company.example');
    // As an authority of the company's own is given to the process, by the system or NODE_EXTRA_CA_CERTS.
    setDefaultCACertificates([...before, authority.rootPem]);
  });
  afterAll(() => setDefaultCACertificates(before));

  beforeEach(async () => {
    vi.useFakeTimers({ toFake: ['Date'] });
    jwks = await startJwksServer(authority);
    first = newProviderKey();
    jwks.keys = [first];
    server = await startWith(jwks.uri);
  });
  afterEach(async () => {
    vi.useRealTimers();
    await server?.stop();
    await jwks?.[Symbol.asyncDispose]();
  });

  const startWith = (jwksUri: string) =>
    startTestServer({
      operators: {
        oidc: [{ issuer, audience: 'citadel', keys: { jwksUri }, roleClaim: { roles: { sre: 'operator' } } }],
      },
    });

  const pass = (seconds: number) => vi.setSystemTime(Date.now() + seconds * 1000);

  async function whoAmI(key: ProviderKey, to = server): Promise<WhoAmIResponse> {
    const now = Math.floor(Date.now() / 1000);
    const claims = { iss: issuer, aud: 'citadel', sub: 'sue', exp: now + 60, groups: ['sre'] };
    const metadata = new Metadata();
    metadata.set('authorization', `Bearer ${await signToken(claims, key)}`);
    const roots = Buffer.from(to.app.authority.bundle().pem);
    const client = new OperatorServiceClient(
      `localhost:${to.app.operator.port}`,
      credentials.createSsl(roots),
    );
    try {
      return await new Promise((resolve, reject) => {
        client.whoAmI({}, metadata, (error: ServiceError | null, response) =>
          error ? reject(error) : resolve(response),
        );
      });
    } finally {
      client.close();
    }
  }

  const codeOf = async (key: ProviderKey, to = server) => (await caught(whoAmI(key, to)))?.code ?? status.OK;

  it('are known by their tokens, and the keys are read once', async () => {
    expect(await whoAmI(first)).toMatchObject({
      subject: `oidc:${issuer}#sue`,
      role: Role.ROLE_OPERATOR,
      proof: 'oidc',
    });
    pass(60);
    expect(await codeOf(first)).toBe(status.OK);
    expect(jwks.asked).toBe(1);
  });

  it('are known by a rotated key, and no longer by one that was taken back', async () => {
    expect(await codeOf(first)).toBe(status.OK);
    const second = newProviderKey();
    jwks.keys = [second];
    // Read a moment ago: half a minute goes by before the provider is asked again.
    expect(await codeOf(second)).toBe(status.UNAUTHENTICATED);
    pass(31);
    expect(await codeOf(second)).toBe(status.OK);
    expect(await codeOf(first)).toBe(status.UNAUTHENTICATED);
    expect(jwks.asked).toBe(2);
  });

  it('are no longer known by a key that was taken back once 10 minutes have passed', async () => {
    expect(await codeOf(first)).toBe(status.OK);
    jwks.keys = [newProviderKey()];
    pass(601);
    expect(await codeOf(first)).toBe(status.UNAUTHENTICATED);
  });

  it('cannot have the provider asked for each key that they make up', async () => {
    for (let times = 0; times < 5; times += 1)
      expect(await codeOf(newProviderKey())).toBe(status.UNAUTHENTICATED);
    expect(jwks.asked).toBe(1);
  });

  it('are refused while the keys cannot be read, which is told and audited; and known when they can', async () => {
    jwks.answer = (_request, response) => response.writeHead(503).end('{"keys":[]}');
    const error = await caught(whoAmI(first));
    expect(error).toMatchObject({
      code: status.UNAVAILABLE,
      details: 'the keys of the token’s issuer cannot be read; try again',
    });
    const { items } = await server.app.store.audit.find({ action: 'operator.whoAmI', limit: 5 });
    expect(items).toEqual([
      expect.objectContaining({ outcome: 'failed', subject: 'unauthenticated', proof: 'oidc' }),
    ]);
    jwks.answer = undefined;
    expect(await codeOf(first)).toBe(status.OK);
  });

  it('are known for 10 minutes while the provider is away', async () => {
    expect(await codeOf(first)).toBe(status.OK);
    await jwks[Symbol.asyncDispose]();
    pass(599);
    expect(await codeOf(first)).toBe(status.OK);
    pass(2);
    expect(await codeOf(first)).toBe(status.UNAVAILABLE);
  });

  it.each<[string, NonNullable<JwksServer['answer']>]>([
    [
      'a redirect, also to the keys',
      (_request, response) => {
        jwks.answer = undefined;
        response.writeHead(302, { location: '/keys' }).end();
      },
    ],
    ['a page', (_request, response) => response.end('<html>')],
    ['no list of keys', (_request, response) => response.end('{}')],
    ['more than anybody has keys', (_request, response) => response.end(`{"keys":[]${' '.repeat(300_000)}}`)],
    ['nothing at all', (request) => request.socket.destroy()],
  ])('are refused on %s', async (_name, answer) => {
    jwks.answer = answer;
    expect(await codeOf(first)).toBe(status.UNAVAILABLE);
  });

  it('are refused where another authority vouches for the address', async () => {
    await using elsewhere = await startJwksServer(await TestAuthority.create('evil.example'));
    elsewhere.keys = [first];
    await using other = await startWith(elsewhere.uri);
    expect(await codeOf(first, other)).toBe(status.UNAVAILABLE);
    expect(elsewhere.asked).toBe(0);
  });
});
