import { generateKeyPairSync, type KeyObject, randomUUID } from 'node:crypto';
import { once } from 'node:events';
import type { RequestListener } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { exportJWK, type JWTPayload, SignJWT } from 'jose';
import type { TestAuthority } from './test-authority.ts';

/** A key that an OpenID provider signs with. */
export interface ProviderKey {
  readonly kid: string;
  readonly privateKey: KeyObject;
  readonly publicKey: KeyObject;
}

export function newProviderKey(): ProviderKey {
  return { kid: randomUUID(), ...generateKeyPairSync('ec', { namedCurve: 'P-256' }) };
}

/** An ID token as a provider makes it. */
export function signToken(claims: JWTPayload, { kid, privateKey }: ProviderKey): Promise<string> {
  return new SignJWT(claims).setProtectedHeader({ alg: 'ES256', kid }).sign(privateKey);
}

/** Where a provider publishes its keys, over HTTPS on loopback. */
export interface JwksServer extends AsyncDisposable {
  readonly uri: string;
  /** What is published. */
  keys: readonly ProviderKey[];
  /** Answers in place of the keys. */
  answer: RequestListener | undefined;
  /** The OpenID discovery document; none by default. */
  description: string | undefined;
  /** How many requests came. */
  readonly asked: number;
}

export async function startJwksServer(authority: TestAuthority): Promise<JwksServer> {
  const { chainPem, keyPem } = await authority.issueServing({ ips: ['127.0.0.1'] });
  const state: Pick<JwksServer, 'keys' | 'answer' | 'description'> & { asked: number } = {
    keys: [],
    answer: undefined,
    description: undefined,
    asked: 0,
  };
  const server = createServer({ cert: chainPem.join(''), key: keyPem }, (request, response) => {
    state.asked += 1;
    if (state.answer) return state.answer(request, response);
    if (request.url?.endsWith('/.well-known/openid-configuration') && state.description !== undefined)
      return void response.end(state.description);
    void Promise.all(
      state.keys.map(async ({ kid, publicKey }) => ({ ...(await exportJWK(publicKey)), kid })),
    ).then((keys) => response.setHeader('content-type', 'application/json').end(JSON.stringify({ keys })));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- a TCP server's address is never a string
  const { port } = server.address() as AddressInfo;
  return Object.assign(state, {
    uri: `https://127.0.0.1:${port}/jwks`,
    async [Symbol.asyncDispose]() {
      if (!server.listening) return;
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  });
}
