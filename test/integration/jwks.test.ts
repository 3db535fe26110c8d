import { writeFileSync } from 'node:fs';
import type { RequestListener } from 'node:http';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createJwksSource, type JwksSourceOptions } from '../../src/adapters/jwks/index.ts';
import { readKeySet } from '../../src/domain/jwks/index.ts';
import type { KeySetLocation } from '../../src/domain/ports/index.ts';
import { type JwksServer, newProviderKey, startJwksServer } from '../fakes/jwks-server.ts';
import { TestAuthority } from '../fakes/test-authority.ts';
import { type TemporaryDirectory, temporaryDirectory } from '../parts/index.ts';

let directory: TemporaryDirectory;
let provider: JwksServer;
let host = '';
let caFile = '';
beforeAll(async () => {
  directory = await temporaryDirectory();
  const authority = await TestAuthority.create('company.example');
  caFile = directory.join('ca.pem');
  writeFileSync(caFile, authority.rootPem);
  provider = await startJwksServer(authority);
  host = new URL(provider.uri).host;
});
afterAll(async () => {
  await provider[Symbol.asyncDispose]();
  await directory[Symbol.asyncDispose]();
});
beforeEach(() => {
  provider.keys = [newProviderKey()];
  provider.answer = undefined;
});

const deadline = 3_000;
async function fetchFrom(given: Partial<JwksSourceOptions> & { location?: KeySetLocation } = {}) {
  const { location = { kind: 'jwks', uri: provider.uri }, ...options } = given;
  const source = await createJwksSource({
    allow: [host],
    allowLoopback: true,
    allowPrivate: false,
    allowHttp: false,
    caFile,
    ...options,
  });
  return await source.fetch(location, AbortSignal.timeout(deadline));
}

describe('a key set over HTTPS', () => {
  it('is read as it is published', async () => {
    expect(readKeySet(await fetchFrom()).keys).toBe(1);
  });

  it('is found by the discovery document of its issuer, which must speak for that issuer', async () => {
    const issuer = `https://${host}/realm`;
    const document = (more: object = {}) => JSON.stringify({ issuer, jwks_uri: provider.uri, ...more });
    let published = document();
    provider.answer = (request, response) => {
      if (request.url === '/realm/.well-known/openid-configuration') return void response.end(published);
      response.end('the keys');
    };
    const location = { kind: 'openid', issuer } as const;
    expect(await fetchFrom({ location })).toBe('the keys');
    for (const [text, message] of [
      [document({ issuer: `${issuer}/` }), 'is not about this issuer'],
      [document({ jwks_uri: undefined }), 'names no jwks_uri'],
      [document({ jwks_uri: 'https://evil.example/' }), 'evil.example is none of mesh.jwks.allow'],
      [document({ jwks_uri: `http://${host}/jwks` }), 'only https'],
      ['hunter2', 'is no JSON object'],
    ] as const) {
      published = text;
      await expect(fetchFrom({ location }), message).rejects.toThrow(message);
    }
    await expect(fetchFrom({ location: { kind: 'openid', issuer: 'testing@example' } })).rejects.toThrow(
      'give jwks or jwksUri',
    );
  });

  it('is not asked for where the operator does not allow it', async () => {
    const before = provider.asked;
    await expect(fetchFrom({ allow: [] })).rejects.toThrow(`${host} is none of mesh.jwks.allow`);
    await expect(fetchFrom({ allowLoopback: false })).rejects.toThrow('127.0.0.1 is loopback');
    const named = { allow: [`id.example:${new URL(provider.uri).port}`] };
    const location = { kind: 'jwks', uri: `https://${named.allow[0]}/jwks` } as const;
    await expect(
      fetchFrom({ ...named, location, resolve: () => Promise.resolve(['169.254.169.254', '10.0.0.1']) }),
    ).rejects.toThrow('not connected to: 169.254.169.254 is a metadata service');
    expect(provider.asked).toBe(before);
  });

  it.each<[string, KeySetLocation, readonly string[], boolean]>([
    ['of a host', { kind: 'jwks', uri: 'https://id.example/jwks' }, ['id.example'], true],
    ['of another', { kind: 'jwks', uri: 'https://id.example/jwks' }, ['other.example'], false],
    ['of an issuer', { kind: 'openid', issuer: 'https://id.example/realm' }, ['id.example'], true],
    ['of an issuer elsewhere', { kind: 'openid', issuer: 'https://id.example/realm' }, [], false],
    ['of an issuer that is no URL', { kind: 'openid', issuer: 'testing@example' }, ['example'], false],
  ])('is allowed by the list of hosts: %s', async (_what, location, allow, expected) => {
    const source = await createJwksSource({
      allow,
      allowLoopback: false,
      allowPrivate: false,
      allowHttp: false,
    });
    expect(source.allows(location)).toBe(expected);
  });

  it('is asked at the address that was judged, whatever the name says a moment later', async () => {
    let asked = 0;
    const resolve = () => {
      asked += 1;
      return Promise.resolve(asked === 1 ? ['127.0.0.1'] : ['169.254.169.254']);
    };
    const name = `id.example:${new URL(provider.uri).port}`;
    const location = { kind: 'jwks', uri: `https://${name}/jwks` } as const;
    // It connects, and finds a certificate for another name.
    await expect(fetchFrom({ allow: [name], location, resolve })).rejects.toThrow(
      'ERR_TLS_CERT_ALTNAME_INVALID',
    );
    expect(asked).toBe(1);
  });

  it('is not believed from whom no trusted authority vouches for', async () => {
    await expect(fetchFrom({ caFile: undefined })).rejects.toThrow('its certificate is not trusted');
    await expect(fetchFrom({ caFile: directory.join('none.pem') })).rejects.toThrow('mesh.jwks.caFile');
  });

  const answers: readonly (readonly [string, RequestListener, string])[] = [
    [
      'a redirect, even to itself',
      (_, response) => void response.writeHead(302, { location: provider.uri }).end(),
      'redirects elsewhere, which is not followed',
    ],
    [
      'an error, of which only the status is told',
      (_, response) => void response.writeHead(500).end('hunter2'),
      'it answers with status 500',
    ],
    [
      'more than 256 KiB',
      (_, response) => void response.end(Buffer.alloc(256 * 1024 + 1, ' ')),
      'larger than 262144 bytes',
    ],
    [
      'an answer without an end',
      (_, response) => {
        const more = setInterval(() => response.write(Buffer.alloc(16_384, ' ')), 5);
        response.once('close', () => clearInterval(more));
      },
      'larger than 262144 bytes',
    ],
    [
      'a compressed answer',
      (_, response) => void response.writeHead(200, { 'content-encoding': 'gzip' }).end(),
      'answers compressed',
    ],
    ['silence', () => {}, 'no whole answer in time'],
    [
      'a beginning and then silence',
      (_, response) => void response.writeHead(200).write('{'),
      'no whole answer in time',
    ],
    ['a closed connection', (request) => void request.socket.destroy(), 'cannot be reached'],
  ];
  it.each(answers)('is not %s', async (_what, answer, message) => {
    provider.answer = answer;
    const begun = performance.now();
    const error = await fetchFrom().catch((caught: unknown) => caught);
    expect(error).toMatchObject({ name: 'CitadelError' });
    expect(String(error)).toContain(message);
    expect(String(error)).not.toContain('hunter2');
    expect(performance.now() - begun).toBeLessThan(deadline + 2_000);
  });

  it('a name that is never answered for is not waited for beyond the deadline', async () => {
    const uri = `https://id.example/jwks`;
    await expect(
      fetchFrom({
        allow: ['id.example'],
        location: { kind: 'jwks', uri },
        resolve: () => new Promise(() => {}),
      }),
    ).rejects.toThrow('no whole answer in time');
  });
});
