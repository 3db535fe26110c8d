import { createHash, generateKeyPairSync, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { exportJWK, type JWTPayload, SignJWT } from 'jose';

export interface OidcClient {
  readonly id: string;
  readonly secret: string;
  readonly redirectUri: string;
}

export interface TestProvider extends AsyncDisposable {
  readonly issuer: string;
  /** For operators.oidc.keys.jwksFile. */
  readonly jwks: object;
  client: OidcClient | undefined;
  /** What is said of each name that signs in. */
  readonly people: Map<string, JWTPayload>;
  /** Put over the claims of the next ID token: what no honest provider would say. */
  lie: JWTPayload;
}

interface Grant {
  readonly name: string;
  readonly nonce: string;
  readonly challenge: string;
}

/**
 * An OpenID provider on loopback: discovery, a form for a name, the code flow with PKCE, a client with a secret. It is as
 * strict as RFC 6749 and RFC 7636 let it be, so that a flow that passes here is one.
 */
export async function startOidcProvider(): Promise<TestProvider> {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const grants = new Map<string, Grant>();
  const server = createServer((request, response) => {
    answer(request)
      .then(({ status, headers, body }) => response.writeHead(status, headers).end(body))
      .catch((error: unknown) => response.writeHead(500).end(String(error)));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  const { port } = server.address() as AddressInfo;
  const issuer = `http://127.0.0.1:${port}`;
  const provider: TestProvider = {
    issuer,
    jwks: { keys: [{ ...(await exportJWK(publicKey)), kid: 'k', alg: 'ES256' }] },
    client: undefined,
    people: new Map(),
    lie: {},
    async [Symbol.asyncDispose]() {
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
  const json = (status: number, value: object) => ({
    status,
    headers: { 'content-type': 'application/json', 'cache-control': 'no-store' },
    body: JSON.stringify(value),
  });
  const bad = (error: string) => json(400, { error });

  async function answer(request: IncomingMessage) {
    const url = new URL(request.url ?? '/', issuer);
    switch (`${request.method} ${url.pathname}`) {
      case 'GET /.well-known/openid-configuration':
        return json(200, {
          issuer,
          authorization_endpoint: `${issuer}/authorize`,
          token_endpoint: `${issuer}/token`,
          jwks_uri: `${issuer}/jwks`,
        });
      case 'GET /authorize':
        return authorize(url.searchParams);
      case 'POST /token':
        return await token(request, new URLSearchParams(await textOf(request)));
      default:
        return json(404, {});
    }
  }

  function authorize(query: URLSearchParams) {
    const { client } = provider;
    const expected: Readonly<Record<string, string | undefined>> = {
      response_type: 'code',
      client_id: client?.id,
      redirect_uri: client?.redirectUri,
      code_challenge_method: 'S256',
    };
    const wrong = Object.entries(expected).find(([name, value]) => query.get(name) !== value);
    if (wrong || !query.get('scope')?.split(' ').includes('openid')) return bad(`wrong ${wrong?.[0]}`);
    const name = query.get('name');
    if (name === null) {
      const hidden = [...query].map(([key, value]) => `<input type="hidden" name="${key}" value="${value}">`);
      const form = `<!doctype html><title>Provider</title><form action="/authorize">${hidden.join('')}
        <label>Name <input name="name" autofocus></label><button>Go on</button></form>`;
      return { status: 200, headers: { 'content-type': 'text/html' }, body: form };
    }
    const back = new URL(query.get('redirect_uri') ?? '');
    back.searchParams.set('state', query.get('state') ?? '');
    back.searchParams.set('iss', issuer);
    if (provider.people.has(name)) {
      const code = randomBytes(16).toString('hex');
      grants.set(code, {
        name,
        nonce: query.get('nonce') ?? '',
        challenge: query.get('code_challenge') ?? '',
      });
      back.searchParams.set('code', code);
    } else back.searchParams.set('error', 'access_denied');
    return { status: 303, headers: { location: back.href }, body: '' };
  }

  async function token({ headers }: IncomingMessage, form: URLSearchParams) {
    const { client } = provider;
    const grant = grants.get(form.get('code') ?? '');
    grants.delete(form.get('code') ?? '');
    const basic = `Basic ${btoa(`${client?.id}:${client?.secret}`)}`;
    if (headers.authorization !== basic) return json(401, { error: 'invalid_client' });
    const digest = createHash('sha256')
      .update(form.get('code_verifier') ?? '')
      .digest('base64url');
    if (!grant || form.get('redirect_uri') !== client?.redirectUri || grant.challenge !== digest)
      return bad('invalid_grant');
    const idToken = await new SignJWT({
      nonce: grant.nonce,
      ...provider.people.get(grant.name),
      ...provider.lie,
    })
      .setProtectedHeader({ alg: 'ES256', kid: 'k' })
      .setIssuer(issuer)
      .setSubject(grant.name)
      .setAudience(client?.id ?? '')
      .setIssuedAt()
      .setExpirationTime('2h')
      .sign(privateKey);
    provider.lie = {};
    return json(200, { token_type: 'Bearer', access_token: 'none', id_token: idToken });
  }
  return provider;
}

async function textOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk);
  return Buffer.concat(chunks).toString('utf8');
}
