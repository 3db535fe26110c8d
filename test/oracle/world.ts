import { generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import type { Claims, RequestAuthentication } from '../../src/domain/policy/index.ts';
import { TestAuthority } from '../fakes/test-authority.ts';
import { type Authorizers, startAuthorizers } from './authorizers.ts';
import type { Credentials } from './client.ts';
import { claimSets, Random, words } from './generate/index.ts';
import type { ServerTls } from './listeners.ts';

/** What all runs of one process share: peers, tokens, and those who are asked. */
export interface World extends AsyncDisposable {
  readonly peers: ReadonlyMap<string, Credentials>;
  readonly server: ServerTls;
  readonly authorizers: Authorizers;
  readonly authentication: RequestAuthentication;
  readonly jwks: string;
  readonly tokens: readonly { readonly claims: Claims; readonly text: string }[];
}

export async function createWorld(): Promise<World> {
  const authority = await TestAuthority.create(words.trustDomain);
  const leaf = async (uri: string): Promise<Credentials> => {
    const { keyPem, chainPem } = await authority.issueServing({ uris: [uri] });
    return { keyPem, chainPem: chainPem.join('') };
  };
  const peers = await Promise.all(words.identities.map(async (uri) => [uri, await leaf(uri)] as const));
  const server = await leaf('spiffe://mesh.test/ns/shop/sa/cart');
  const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const jwks = JSON.stringify({
    keys: [{ ...publicKey.export({ format: 'jwk' }), kid: 'one', alg: 'RS256' }],
  });
  const authorizers = await startAuthorizers();
  return {
    peers: new Map(peers),
    server: { certificatePem: server.chainPem, keyPem: server.keyPem, rootPem: authority.rootPem },
    authorizers,
    authentication: authenticationOf(words.issuers),
    jwks,
    tokens: claimSets(new Random(7), 120).map((claims) => ({
      claims,
      text: token({ alg: 'RS256', kid: 'one' }, claims, privateKey),
    })),
    async [Symbol.asyncDispose]() {
      await authorizers[Symbol.asyncDispose]();
    },
  };
}

function authenticationOf(issuers: readonly string[]): RequestAuthentication {
  return {
    kind: 'RequestAuthentication',
    meta: { namespace: 'shop', name: 'tokens', generation: 1, origin: { source: 'oracle' } },
    selector: undefined,
    targetRefs: [],
    jwtRules: issuers.map((issuer) => ({
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
      spaceDelimitedClaims: words.spaceDelimited[issuer] ?? [],
    })),
  };
}

export function token(header: object, claims: Claims, key: KeyObject): string {
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const signed = `${part(header)}.${part(claims)}`;
  return `${signed}.${sign('sha256', Buffer.from(signed), key).toString('base64url')}`;
}
