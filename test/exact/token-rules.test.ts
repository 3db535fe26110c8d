import { writeFile } from 'node:fs/promises';
import { SignJWT } from 'jose';
import { describe, expect, test } from 'vitest';
import type { Claims, JwtRule } from '../../src/domain/policy/index.ts';
import { Listener } from '../../src/gen/envoy/config/listener/v3/listener.ts';
import { newProviderKey } from '../fakes/jwks-server.ts';
import { TestAuthority } from '../fakes/test-authority.ts';
import { httpFilter, setHeader } from '../oracle/http-listener.ts';
import { httpListener } from '../oracle/listeners.ts';
import { discoveryFile, packed } from '../oracle/messages.ts';
import { ours } from '../oracle/rendering.ts';
import { exchange, freePort, hasPart, startEnvoy, temporaryDirectory } from '../parts/index.ts';
import { type SentToken, verdictOf } from '../unit/domain/policy/exact/sent-tokens.ts';
import {
  keySetAt,
  one,
  privateKeys,
  sides,
  type TokenCase,
  type TokenSide,
  tokenCases,
} from '../unit/domain/policy/exact/token-cases.ts';
import { compareHttp } from '../unit/domain/policy/exact/worlds.ts';

/** Of each case as many of all its tokens. */
const most = 60;

/**
 * The tables of tokens are judged by what they say of rules themselves: here a real Envoy says whether that is so, of the
 * same tokens.
 */
describe.skipIf(!hasPart('envoy'))('tokens that are sent to a real Envoy', () => {
  test('are taken, refused and not looked at as the tables say', async () => {
    const told = tokenCases.map((each) => ({ name: each[0], ...sides(each) }));
    const asked: Asked[] = [];
    for (const { name, before, after, all } of told)
      for (const side of [before, after]) asked.push({ name, side, all, port: await freePort() });
    await using envoy = await startSides(asked);
    const witnesses = tokenCases.flatMap((each) => witnessesOf(each));
    const wrong: string[] = [];
    const answered = { allow: 0, deny: 0 };
    for (const { name, side, all, port } of asked) {
      await envoy.listenerPort(`http-${port}`);
      const hasHeaders = (token: SentToken | undefined) => token?.headers !== undefined;
      const some = [
        ...few(all.filter((token) => !hasHeaders(token))),
        ...few(all.filter(hasHeaders)),
        ...witnesses.filter((each) => each.name === name).map(({ token }) => token),
      ];
      const statuses = await Promise.all(some.map((token) => ask(port, token)));
      for (const [at, token] of some.entries()) {
        const verdict = verdictOf(side.rules, side.policies, token);
        answered[verdict] += 1;
        if ((statuses[at] === 200) !== (verdict === 'allow'))
          wrong.push(`${name}: ${statuses[at]}, where the tables say ${verdict}: ${JSON.stringify(token)}`);
      }
    }

    // What the engine takes to be no token, so that nothing is asked of what is in it.
    const [first] = asked;
    const good = {
      place: 'header authorization after "Bearer "',
      signedBy: 'the key a',
      claims: { iss: one },
    };
    const malformed: readonly Claims[] = [
      ...['exp', 'nbf', 'iat'].flatMap((name) => [{ [name]: 'x' }, { [name]: [1] }, { [name]: { x: 'x' } }]),
      ...['iss', 'sub', 'jti'].flatMap((name) => [{ [name]: ['x'] }, { [name]: { x: 'x' } }, { [name]: 7 }]),
      ...[{ x: 'x' }, [{ x: 'x' }], 7].map((aud) => ({ aud })),
    ];
    const of = async (claims: Claims) =>
      await ask(first?.port ?? 0, { ...good, claims: { ...good.claims, ...claims } });
    expect(await of({ jti: 'x', aud: ['x', 'y'] })).toBe(200);
    for (const claims of malformed) expect([claims, await of(claims)]).toEqual([claims, 401]);

    expect(wrong.slice(0, 5)).toEqual([]);
    expect(answered.allow).toBeGreaterThan(300);
    expect(answered.deny).toBeGreaterThan(1000);
  }, 60_000);
});

/** Not every so-manyth: these are in an order. The first is none. */
function few<T>(all: readonly T[]): readonly T[] {
  const step = Math.max(1, Math.floor(all.length / most));
  return all.filter((_, at) => at === 0 || (at * 7919) % all.length < all.length / step);
}

/** What the engine tells of a case, as far as the token and its headers are all of it. */
function witnessesOf(each: TokenCase): readonly { readonly name: string; readonly token: SentToken }[] {
  const { before, after } = sides(each);
  const [was, is] = [before, after].map(({ authentications, policies }) => [...authentications, ...policies]);
  return compareHttp(was ?? [], is ?? []).differences.flatMap(({ witness: { token, request } }) => {
    if (!token || request.http?.path !== '/' || request.http.method !== 'GET') return [];
    return [{ name: each[0], token: { ...token, headers: request.http.headers } }];
  });
}

interface Asked {
  readonly name: string;
  readonly side: TokenSide;
  readonly all: readonly (SentToken | undefined)[];
  readonly port: number;
}

async function startSides(asked: readonly Asked[]) {
  const authority = await TestAuthority.create('mesh.example');
  const { keyPem, chainPem } = await authority.issueServing({
    uris: ['spiffe://mesh.example/ns/shop/sa/cart'],
  });
  const tls = { certificatePem: chainPem.join(''), keyPem, rootPem: authority.rootPem };
  const context = {
    trustDomain: 'mesh.example',
    trustDomainAliases: [],
    providers: [],
    providerCluster: () => '',
  };
  const jwksOf = ({ jwks, jwksUri = '' }: JwtRule) => jwks ?? keySetAt[jwksUri];
  const listeners = asked.map(({ side: { authentications, policies }, port }) =>
    httpListener(
      port,
      httpFilter({ sets: [policies], authentication: authentications, jwksOf, context, rendering: ours }),
      tls,
    ),
  );
  await using directory = await temporaryDirectory('tokens');
  const path = directory.join('listeners.pb');
  const type = 'envoy.config.listener.v3.Listener';
  await writeFile(path, discoveryFile(listeners.map((listener) => packed(type, Listener, listener))));
  const envoy = await startEnvoy({
    logLevel: 'warning',
    bootstrap: {
      node: { id: 'tokens', cluster: 'tokens' },
      dynamic_resources: { lds_config: { path_config_source: { path } } },
    },
  });
  await envoy.waitLive();
  for (const { port } of asked) await envoy.listenerPort(`http-${port}`);
  return envoy;
}

const stranger = newProviderKey();

async function ask(port: number, token: SentToken | undefined): Promise<number> {
  const { headers, path } = token ? await placed(token) : { headers: {}, path: '/' };
  const url = `http://127.0.0.1:${port}${path}`;
  const { status } = await exchange(url, { headers: { ...headers, [setHeader]: '0' } });
  return status;
}

async function placed({ headers = {}, ...token }: SentToken) {
  const { text, ...sent } = await placedAlone(token);
  const others = Object.entries(headers).map(([name, values]) => [
    name,
    [values].flat().map((value) => value.replace('<token>', text)),
  ]);
  return { ...sent, headers: { ...sent.headers, ...Object.fromEntries(others) } };
}

async function placedAlone({ place, signedBy, claims }: SentToken) {
  // What the key of nobody signs says that it is of one that the rules have.
  const kid = signedBy === undefined ? 'a' : (/^the key (.*)$/.exec(signedBy)?.[1] ?? undefined);
  const header = { alg: 'ES256', ...(kid === undefined ? {} : { kid }) };
  const key = signedBy === undefined ? stranger.privateKey : privateKeys[signedBy];
  if (!key) throw new Error(`nobody has ${signedBy}`);
  const exp = Math.floor(Date.now() / 1000) + 3600;
  const text = await new SignJWT({ exp, ...claims }).setProtectedHeader(header).sign(key);
  const [, kind, name = '', prefix = '""'] =
    /^(header|query parameter|cookie) (\S+)(?: after (".*"))?$/.exec(place) ?? [];
  const plain = { text, headers: {}, path: '/' };
  if (kind === 'header') return { ...plain, headers: { [name]: `${JSON.parse(prefix)}${text}` } };
  if (kind === 'cookie') return { ...plain, headers: { cookie: `${name}=${text}` } };
  return { ...plain, path: `/?${name}=${text}` };
}
