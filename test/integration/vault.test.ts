import { verify } from 'node:crypto';
import { createServer, type RequestListener } from 'node:http';
import { inspect } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openVaultKeyManager, type VaultKeyManagerOptions } from '../../src/adapters/keys/vault/index.ts';
import { openVaultPkiUpstream } from '../../src/adapters/upstream/vault-pki/index.ts';
import type { SigningKey } from '../../src/domain/ports/index.ts';
import { type Log, Secret, systemClock, systemEntropy } from '../../src/kernel/index.ts';
import {
  chainToRoot,
  createCertificateRequest,
  generateKeyPair,
  localSigner,
  parseCertificate,
} from '../../src/pki/index.ts';
import { hasPart } from '../parts/locate.ts';
import { type OpenBao, startOpenBao } from '../parts/openbao.ts';
import { member, setUpAppRole } from '../parts/vault-home.ts';
import { waitFor } from '../parts/wait-for.ts';

const failure = (code: string, details?: RegExp) =>
  expect.objectContaining({
    name: 'CitadelError',
    code,
    ...(details ? { details: expect.stringMatching(details) } : {}),
  });

const data = Buffer.from('to be signed');
const verifies = (key: SigningKey, signature: Uint8Array) =>
  verify('sha256', data, { key: Buffer.from(key.publicKey), format: 'der', type: 'spki' }, signature);

/** Everything that was logged or thrown, as deep as a careless logger would print it. */
const said: string[] = [];
const print = (...values: unknown[]) =>
  said.push(inspect(values, { depth: 20, showHidden: true }), JSON.stringify(values));
const log: Log = { debug: print, info: print, warn: print, error: print, with: () => log };

async function failed(promise: Promise<unknown>): Promise<unknown> {
  try {
    await promise;
  } catch (error) {
    print(error, error instanceof Error ? error.stack : '');
    return error;
  }
  throw new Error('this should have failed');
}

describe.skipIf(!hasPart('openbao'))('Vault adapters on a real OpenBao', () => {
  let bao: OpenBao;
  beforeAll(async () => {
    bao = await startOpenBao();
  });
  afterAll(async () => {
    await bao[Symbol.asyncDispose]();
  });

  const ports = { clock: systemClock, entropy: systemEntropy, log };
  const open = async (more: Partial<VaultKeyManagerOptions> = {}) =>
    openVaultKeyManager({
      address: bao.address,
      auth: more.auth ?? (await setUpAppRole(bao)),
      ...ports,
      ...more,
    });

  test('a key cannot be exported or backed up, even by root', async () => {
    const keys = await open();
    await keys.generate('sealed-in', 'ecdsa-p256');
    for (const path of ['transit/export/signing-key/citadel-sealed-in', 'transit/backup/citadel-sealed-in']) {
      await expect(bao.request('GET', path)).rejects.toThrow(
        /not exportable|exporting is disallowed|plaintext backup/i,
      );
    }
    const read = await bao.request('GET', 'transit/keys/citadel-sealed-in');
    expect(member(read, 'data')).toMatchObject({
      exportable: false,
      allow_plaintext_backup: false,
      deletion_allowed: false,
    });
    await keys.close();
  });

  test('goes on with version 1 when someone rotates the key in place', async () => {
    const keys = await open();
    const key = await keys.generate('pinned', 'ecdsa-p256');
    await bao.request('POST', 'transit/keys/citadel-pinned/rotate');
    expect(verifies(key, await key.sign(data))).toBe(true);
    expect((await keys.get('pinned'))?.publicKey).toEqual(key.publicKey);
    await keys.close();
  });

  test('sealed, stopped and restarted: Unavailable, and the same manager works again after', async () => {
    const keys = await open();
    const key = await keys.generate('outage', 'ecdsa-p256');
    await bao.seal();
    expect(await failed(key.sign(data))).toEqual(failure('Unavailable', /503/));
    expect(await failed(keys.check())).toEqual(failure('Unavailable'));
    await bao.unseal();
    expect(verifies(key, await key.sign(data))).toBe(true);
    await bao.stop({ kill: true });
    expect(await failed(key.sign(data))).toEqual(failure('Unavailable', /ECONNREFUSED/));
    expect(await failed(keys.generate('while-away', 'ecdsa-p256'))).toEqual(failure('Unavailable'));
    await bao.start();
    expect(await failed(keys.check())).toEqual(failure('Unavailable'));
    await bao.unseal();
    expect(verifies(key, await key.sign(data))).toBe(true);
    await keys.check();
    await keys.close();
  });

  test('keeps its token good past its greatest life', async () => {
    const auth = await setUpAppRole(bao, { token_ttl: '2s', token_max_ttl: '5s' }, 'short');
    const keys = await open({ auth });
    const key = await keys.generate('long-lived', 'ecdsa-p256');
    const before = said.length;
    const logins = () =>
      said.slice(before).filter((line) => line.includes('logged in to Vault') && line.startsWith('[')).length;
    const end = Date.now() + 8000;
    await waitFor(async () => verifies(key, await key.sign(data)) && logins() > 0 && Date.now() > end, {
      deadline: 20_000,
    });
    expect(said.slice(before).some((line) => line.includes('Vault token renewed'))).toBe(true);
    await keys.close();
  });

  test('logs in again when its token is revoked', async () => {
    const keys = await open();
    const key = await keys.generate('revoked', 'ecdsa-p256');
    await bao.request('POST', 'sys/leases/revoke-prefix/auth/approle/login');
    expect(verifies(key, await key.sign(data))).toBe(true);
    await keys.close();
  });

  test('wrong credentials are refused without a word of them', async () => {
    const auth = await setUpAppRole(bao);
    if (auth.kind !== 'approle') throw new Error('not an AppRole');
    const keys = await open({
      auth: { ...auth, secretId: new Secret('11111111-2222-3333-4444-555555555555') },
    });
    const error = await failed(keys.check());
    expect(error).toEqual(failure('PermissionDenied'));
    expect(said.join('')).not.toContain('11111111-2222-3333-4444-555555555555');
    await keys.close();
  });

  test('a refusal names the policy that is missing', async () => {
    const keys = await open({ keyPrefix: 'other-' });
    expect(await failed(keys.generate('x', 'ecdsa-p256'))).toEqual(
      failure('PermissionDenied', /path "transit\/keys\/other-\*" \{ capabilities = \["read"\] \}/),
    );
    await keys.close();
  });

  test('a mount that is not there is told', async () => {
    const keys = await open({ mount: 'nowhere', auth: { kind: 'token', token: new Secret(bao.rootToken) } });
    expect(await failed(keys.check())).toEqual(failure('FailedPrecondition', /no handler|unsupported path/));
    await keys.close();
  });

  test('no token that was in use appears in what was logged or thrown', async () => {
    const auth = await setUpAppRole(bao);
    if (auth.kind !== 'approle') throw new Error('not an AppRole');
    const created = String(
      member(
        await bao.request('POST', 'auth/token/create', { policies: ['citadel'], ttl: '1h' }),
        'auth',
        'client_token',
      ),
    );
    const keys = await open({ auth: { kind: 'token', token: new Secret(created) } });
    await keys.generate('scan', 'ecdsa-p256');
    await bao.request('POST', 'auth/token/revoke', { token: created });
    await failed(keys.check());
    await failed((await open({ address: 'http://127.0.0.1:1', auth })).check());
    await failed(keys.generate('A', 'ecdsa-p256'));
    await keys.close();
    const all = said.join('\n');
    expect(all.length).toBeGreaterThan(1000);
    for (const secret of [created, bao.rootToken, auth.secretId.reveal()]) expect(all).not.toContain(secret);
    expect(/\b[hs]\.[A-Za-z0-9]{24,}|X-Vault-Token/.exec(all)?.[0]).toBeUndefined();
  });

  describe('PKI as the upstream of issuing authorities', () => {
    const hour = 3_600_000;
    async function request(lifetime = hour) {
      const { privateKey, spki } = await generateKeyPair('ecdsa-p256');
      const now = Math.floor(Date.now() / 1000) * 1000;
      return {
        certificateRequest: await createCertificateRequest({
          signer: localSigner(privateKey),
          subject: 'issuing',
        }),
        publicKey: spki,
        commonName: 'Citadel issuing authority',
        notBefore: new Date(now - 600_000),
        notAfter: new Date(now + lifetime),
      };
    }

    beforeAll(async () => {
      await bao.request('POST', 'sys/mounts/pki', { type: 'pki', config: { max_lease_ttl: '87600h' } });
      await bao.request('POST', 'pki/root/generate/internal', {
        common_name: 'Company root',
        key_type: 'ec',
        ttl: '24h',
      });
    });

    const upstreamAs = async (more: { mount?: string; issuer?: string } = {}) =>
      openVaultPkiUpstream({ address: bao.address, auth: await setUpAppRole(bao), ...ports, ...more });

    test('signs our request: our key, path length 0, our dates, a chain to the root', async () => {
      const upstream = await upstreamAs();
      await upstream.check();
      const asked = await request();
      const { certificate, intermediates, root } = await upstream.signIssuingAuthority(asked);
      const parsed = parseCertificate(certificate);
      expect(parsed).toMatchObject({
        isCa: true,
        pathLen: 0,
        subject: 'CN=Citadel issuing authority',
        uris: [],
        dns: [],
      });
      expect(Buffer.from(parsed.publicKey.spki).equals(asked.publicKey)).toBe(true);
      expect(parsed.notAfter).toEqual(asked.notAfter);
      expect(Math.abs(parsed.notBefore.getTime() - asked.notBefore.getTime())).toBeLessThan(30_000);
      expect(chainToRoot(certificate, intermediates, [root], new Date())).toHaveLength(2);
    });

    test('what is asked beyond the end of the root ends with the root', async () => {
      const upstream = await upstreamAs();
      const signed = await upstream.signIssuingAuthority(await request(48 * hour));
      const [certificate, root] = [parseCertificate(signed.certificate), parseCertificate(signed.root)];
      expect(certificate.notAfter).toEqual(root.notAfter);
    });

    test('without the right to sign: PermissionDenied with the policy, at the check already', async () => {
      const upstream = await upstreamAs({ mount: 'pki', issuer: 'default' });
      const refused = failure('PermissionDenied', /path "pki\/issuer\/default\/sign-intermediate"/);
      expect(await failed(upstream.check())).toEqual(refused);
      expect(await failed(upstream.signIssuingAuthority(await request()))).toEqual(refused);
    });

    test('sealed: Unavailable', async () => {
      const upstream = await upstreamAs();
      await upstream.check();
      await bao.seal();
      expect(await failed(upstream.signIssuingAuthority(await request()))).toEqual(failure('Unavailable'));
      await bao.unseal();
      await upstream.signIssuingAuthority(await request());
    });
  });
});

describe('a server that misbehaves', () => {
  const token = { kind: 'token', token: new Secret('a-token-for-a-test') } as const;
  async function against(
    answer: RequestListener,
    use: (options: VaultKeyManagerOptions) => Promise<void>,
  ): Promise<void> {
    const server = createServer(answer);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const address = server.address();
    const port = typeof address === 'object' ? address?.port : undefined;
    try {
      await use({
        address: `http://127.0.0.1:${port}`,
        auth: token,
        timeout: 500,
        clock: systemClock,
        entropy: systemEntropy,
        log,
      });
    } finally {
      server.closeAllConnections();
      server.close();
    }
  }

  test('a transit engine that does not know a kind of key is told as that', async () => {
    await against(
      (request, response) => {
        response.writeHead(request.method === 'GET' ? 404 : 400, { 'content-type': 'application/json' });
        response.end(
          JSON.stringify({ errors: request.method === 'GET' ? [] : ['unknown key type mldsa-65'] }),
        );
      },
      async (options) => {
        const keys = await openVaultKeyManager(options);
        expect(await failed(keys.generate('root-1', 'ml-dsa-65'))).toMatchObject({
          code: 'InvalidArgument',
          message: 'this Vault makes no keys of ml-dsa-65',
        });
      },
    );
  });

  test('silence ends at the deadline', async () => {
    await against(
      () => undefined,
      async (options) => {
        const keys = await openVaultKeyManager(options);
        expect(await failed(keys.check())).toEqual(
          failure('Unavailable', /TimeoutError|AbortError|ABORT_ERR|23/),
        );
      },
    );
  });

  test('an endless answer is cut off, and a redirect is not followed with the token', async () => {
    await against(
      (_request, response) => {
        response.writeHead(200, { 'content-type': 'application/json' });
        const chunk = Buffer.alloc(64 * 1024, 0x20);
        const more = () => {
          while (!response.destroyed && response.write(chunk));
        };
        response.on('drain', more);
        more();
      },
      async (options) => {
        const keys = await openVaultKeyManager({ ...options, timeout: 5000 });
        expect(await failed(keys.check())).toEqual(failure('Unavailable'));
      },
    );
    let asked = 0;
    await against(
      (request, response) => {
        asked += 1;
        response.writeHead(307, { location: `http://${request.headers.host}/elsewhere` }).end();
      },
      async (options) => {
        const keys = await openVaultKeyManager(options);
        expect(await failed(keys.check())).toEqual(failure('Unavailable', /307/));
        expect(asked).toBe(1);
      },
    );
  });

  test.each(['http://vault.example:8200', 'ftp://127.0.0.1', 'https://u:p@vault', 'nonsense', ''])(
    'the address %j is refused',
    async (address) => {
      const options = { address, auth: token, clock: systemClock, entropy: systemEntropy, log };
      expect(await failed(openVaultKeyManager(options))).toEqual(failure('InvalidArgument'));
    },
  );
});
