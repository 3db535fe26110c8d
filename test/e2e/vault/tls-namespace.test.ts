import { writeFile } from 'node:fs/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { TestAuthority } from '../../fakes/test-authority.ts';
import {
  hasPart,
  type OpenBao,
  startOpenBao,
  type TemporaryDirectory,
  temporaryDirectory,
} from '../../parts/index.ts';
import { member } from '../../parts/vault-home.ts';
import { newRequest, startTestServer } from '../../support/server.ts';
import { vaultSettings } from '../../support/vault-settings.ts';

const team = 'team';
const notTrusted = expect.stringMatching(/certificate is not trusted; check caFile/);

describe.skipIf(!hasPart('openbao'))(
  'a root key in a namespace of an OpenBao with an authority of its own',
  () => {
    let authority: TestAuthority;
    let bao: OpenBao;
    let temporary: TemporaryDirectory;
    beforeAll(async () => {
      authority = await TestAuthority.create('company.example');
      const { chainPem, keyPem } = await authority.issueServing({ ips: ['127.0.0.1'] });
      bao = await startOpenBao({ tls: { chain: chainPem.join(''), key: keyPem, ca: authority.rootPem } });
      for (const namespace of [team, 'other']) await bao.request('POST', `sys/namespaces/${namespace}`);
    });
    afterAll(() => bao?.[Symbol.asyncDispose]());
    beforeEach(async () => {
      temporary = await temporaryDirectory();
      await writeFile(temporary.join('ca.pem'), authority.rootPem);
    });
    afterEach(() => temporary[Symbol.asyncDispose]());

    /** An AppRole and transit within the namespace, and nothing outside. */
    const within: Pick<OpenBao, 'address' | 'request'> = {
      get address() {
        return bao.address;
      },
      request: (method, path, body, options) => bao.request(method, `${team}/${path}`, body, options),
    };

    /** Starts a server and issues once. @param more over the sound settings; undefined takes one away */
    async function issue(more: Record<string, unknown> = {}): Promise<readonly string[]> {
      const { vault, issuingKeys } = await vaultSettings(within, temporary.path);
      const sound = { ...vault, caFile: temporary.join('ca.pem'), namespace: team };
      const settings = { keys: { vault: { ...sound, ...more } }, issuingKeys };
      await using server = await startTestServer(settings, { directory: temporary.path });
      const token = (await server.token()).reveal();
      return (await server.create({ csr: (await newRequest()).csr }, { token })).certChain;
    }

    it('signs, and is in that namespace', async () => {
      expect(await issue()).toHaveLength(3);
      const keys = member(await within.request('LIST', 'transit/keys'), 'data', 'keys');
      expect(keys).toEqual([expect.stringMatching(/^citadel-root-/)]);
      expect(member(await bao.request('GET', 'sys/mounts'), 'data', 'transit/')).toBeUndefined();
    });

    it.each([
      ['another authority', async () => (await TestAuthority.create('evil.example')).rootPem],
      ['no authority but the system’s', async () => undefined],
    ])('is not asked under the certificate of a server that %s vouches for', async (_name, pem) => {
      const caFile = temporary.join('other.pem');
      const text = await pem();
      if (text !== undefined) await writeFile(caFile, text);
      await expect(issue({ caFile: text === undefined ? undefined : caFile })).rejects.toMatchObject({
        code: 'Unavailable',
        message: notTrusted,
      });
    });

    it('is not asked with a file of authorities that is missing, or holds none', async () => {
      const caFile = temporary.join('junk.pem');
      await expect(issue({ caFile })).rejects.toMatchObject({
        code: 'FailedPrecondition',
        message: expect.stringMatching(/CA file .* cannot be read/),
      });
      await writeFile(caFile, 'no certificate at all');
      await expect(issue({ caFile })).rejects.toMatchObject({
        code: 'FailedPrecondition',
        message: expect.stringMatching(/CA file .* holds no PEM certificates/),
      });
    });

    it('is not asked at an address that its certificate does not name', async () => {
      const address = bao.address.replace('127.0.0.1', 'localhost');
      await expect(issue({ address })).rejects.toMatchObject({ message: notTrusted });
    });

    it('is not found from another namespace, or from outside', async () => {
      for (const namespace of ['other', undefined])
        await expect(issue({ namespace })).rejects.toMatchObject({
          code: 'PermissionDenied',
        });
    });
  },
);
