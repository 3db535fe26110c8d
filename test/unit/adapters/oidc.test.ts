import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { rmSync, writeFileSync } from 'node:fs';
import { exportJWK, type JWTPayload, SignJWT } from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createTokenVerifier } from '../../../src/adapters/oidc/index.ts';
import { Secret } from '../../../src/kernel/index.ts';
import { type TemporaryDirectory, temporaryDirectory } from '../../parts/index.ts';

const now = new Date('2030-01-01T00:00:00Z');
const seconds = Math.floor(now.getTime() / 1000);
const clock = { now: () => now, sleep: async () => {} };
const issuer = 'https://id.example';
const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const other = generateKeyPairSync('ec', { namedCurve: 'P-256' });

let directory: TemporaryDirectory;
let jwksFile = '';
beforeAll(async () => {
  directory = await temporaryDirectory();
  jwksFile = directory.join('jwks.json');
  writeFileSync(jwksFile, JSON.stringify({ keys: [{ ...(await exportJWK(publicKey)), kid: 'k' }] }));
});
afterAll(() => directory[Symbol.asyncDispose]());

const sound: JWTPayload = {
  iss: issuer,
  aud: 'citadel',
  sub: 'sue',
  exp: seconds + 60,
  groups: ['dev', 'sre'],
};

function without(claim: string): JWTPayload {
  return Object.fromEntries(Object.entries(sound).filter(([name]) => name !== claim));
}

function sign(claims: JWTPayload, key: KeyObject = privateKey): Promise<string> {
  return new SignJWT(claims).setProtectedHeader({ alg: 'ES256', kid: 'k' }).sign(key);
}

function verify(token: string, file = jwksFile) {
  const roleClaim = { claim: 'groups', roles: { dev: 'viewer', sre: 'operator' } } as const;
  const provider = {
    issuer,
    audience: 'citadel',
    keys: { kind: 'jwksFile', value: file },
    roleClaim,
  } as const;
  return createTokenVerifier([provider], clock).verify(new Secret(token));
}

describe('createTokenVerifier', () => {
  it('gives subject, and the highest role of the claim', async () => {
    expect(await verify(await sign(sound))).toEqual({ issuer, subject: 'sue', role: 'operator' });
    expect(await verify(await sign({ ...sound, groups: 'dev' }))).toMatchObject({ role: 'viewer' });
    expect(await verify(await sign({ ...sound, groups: ['constructor', '__proto__'] }))).toEqual({
      issuer,
      subject: 'sue',
    });
  });

  it.each<readonly [string, JWTPayload]>([
    ['another audience', { ...sound, aud: 'other' }],
    ['another issuer', { ...sound, iss: 'https://evil.example' }],
    ['one that has expired', { ...sound, exp: seconds - 31 }],
    ['one that is not valid yet', { ...sound, nbf: seconds + 60 }],
    ['one that never ends', without('exp')],
    ['one without a subject', without('sub')],
    ['a subject with a space', { ...sound, sub: 'a b' }],
  ])('refuses %s', async (_, claims) => {
    await expect(verify(await sign(claims))).rejects.toMatchObject({ code: 'Unauthenticated' });
  });

  it('refuses another key, no signature, a MAC with the public key, and junk', async () => {
    const [, payload] = (await sign(sound)).split('.');
    const unsigned = `${Buffer.from('{"alg":"none"}').toString('base64url')}.${payload}.`;
    const spki = publicKey.export({ type: 'spki', format: 'der' });
    const mac = await new SignJWT(sound).setProtectedHeader({ alg: 'HS256', kid: 'k' }).sign(spki);
    for (const token of [await sign(sound, other.privateKey), unsigned, mac, 'junk', ''])
      await expect(verify(token)).rejects.toMatchObject({ code: 'Unauthenticated' });
  });

  it('lets nobody in while the keys cannot be read', async () => {
    const token = await sign(sound);
    const file = directory.join('gone.json');
    await expect(verify(token, file)).rejects.toMatchObject({ code: 'Unavailable' });
    writeFileSync(file, 'not json');
    await expect(verify(token, file)).rejects.toMatchObject({ code: 'Unavailable' });
    rmSync(file);
  });
});
