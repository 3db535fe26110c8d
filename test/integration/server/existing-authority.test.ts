import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openDiskKeyManager } from '../../../src/adapters/keys/disk/index.ts';
import { silentLog } from '../../../src/kernel/index.ts';
import { parseCertificate, toPem } from '../../../src/pki/index.ts';
import { type TemporaryDirectory, temporaryDirectory } from '../../parts/index.ts';
import {
  type AuthorityFiles,
  below,
  cacertsSettings,
  newAuthority,
  newRoot,
} from '../../support/company-authority.ts';
import { recordingLog } from '../../support/recording-log.ts';
import { newRequest, startTestServer } from '../../support/server.ts';

let temporary: TemporaryDirectory;
beforeEach(async () => {
  temporary = await temporaryDirectory();
});
afterEach(() => temporary[Symbol.asyncDispose]());

const settingsFor = (files: AuthorityFiles) => cacertsSettings(temporary, files);

async function issueFrom(settings: Record<string, unknown>): Promise<readonly string[]> {
  await using server = await startTestServer(settings, { directory: temporary.path });
  const { csr } = await newRequest();
  const { certChain } = await server.create({ csr }, { token: (await server.token()).reveal() });
  return certChain;
}

const subjects = (chain: readonly string[]) => chain.slice(1, -1).map((pem) => parseCertificate(pem).subject);

describe('an existing authority', () => {
  it('of path length 0, as Istio makes it, signs leaves itself, also after a restart', async () => {
    const root = await newRoot();
    const ca = await below(root, 0);
    const settings = await settingsFor({
      ...ca,
      chain: [ca.certificate, root.certificate],
      roots: [root.certificate],
    });
    for (const _start of ['first', 'second']) {
      const chain = await issueFrom(settings);
      expect(chain).toHaveLength(3);
      expect(chain[1]).toBe(toPem(ca.certificate));
      expect(chain.at(-1)).toBe(toPem(root.certificate));
    }
  });

  it('with room below it signs an issuing authority of ours', async () => {
    const root = await newRoot();
    const ca = await below(root, 1);
    const chain = await issueFrom(
      await settingsFor({ ...ca, chain: [ca.certificate], roots: [root.certificate] }),
    );
    expect(chain).toHaveLength(4);
    expect(chain[2]).toBe(toPem(ca.certificate));
    expect(subjects(chain)[0]).toMatch(/Citadel issuing authority/);
  });

  it('that is a root itself, beside a second root that is being retired', async () => {
    const root = await newRoot();
    const other = await newRoot();
    const chain = await issueFrom(
      await settingsFor({ ...root, chain: [], roots: [root.certificate, other.certificate] }),
    );
    expect(chain).toHaveLength(3);
    expect(chain.at(-1)).toContain(toPem(root.certificate));
    expect(chain.at(-1)).toContain(toPem(other.certificate));
  });

  it.each<[string, RegExp, (root: Awaited<ReturnType<typeof newRoot>>) => Promise<AuthorityFiles>]>([
    [
      'whose key belongs to another',
      /private key does not belong/,
      async (root) => ({
        certificate: root.certificate,
        key: (await newAuthority()).key,
        chain: [],
        roots: [root.certificate],
      }),
    ],
    [
      'that none of the roots issued',
      /does not chain to a trusted root/,
      async (root) => ({ ...(await below(root, 0)), chain: [], roots: [(await newRoot()).certificate] }),
    ],
    [
      'with no root',
      /holds no certificate/,
      async (root) => ({ ...(await below(root, 0)), chain: [], roots: [] }),
    ],
  ])('%s is refused', async (_name, message, make) => {
    const settings = await settingsFor(await make(await newRoot()));
    await expect(issueFrom(settings)).rejects.toThrow(message);
  });

  it('given as PEM files needs its key at the first start only', async () => {
    const root = await newRoot();
    const ca = await below(root, 1);
    const { keys, authority } = await settingsFor({
      ...ca,
      chain: [ca.certificate],
      roots: [root.certificate],
    });
    const file = (name: string) => join(authority.existing.istioCacerts, name);
    const pem = { certificate: file('ca-cert.pem'), key: file('ca-key.pem'), roots: file('root-cert.pem') };
    const settings = { keys, authority: { existing: { pem } } };
    const before = await issueFrom(settings);
    await rm(pem.key);
    const after = await issueFrom(settings);
    expect(before[2]).toBe(toPem(ca.certificate));
    expect(after.slice(1)).toEqual(before.slice(1));
  });

  it('given without its key is found in its home under the id that is named, and refused where it is not', async () => {
    const root = await newRoot();
    const files = await settingsFor({ ...root, chain: [], roots: [root.certificate] });
    const file = (name: string) => join(files.authority.existing.istioCacerts, name);
    const pem = { certificate: file('ca-cert.pem'), roots: file('root-cert.pem'), keyId: 'company-root' };
    const settings = { ...files, authority: { existing: { pem } } };
    await expect(issueFrom(settings)).rejects.toThrow(/has no key company-root, and none was given/);

    const keyFile = { kind: 'key-file', path: files.keys.disk.encryption.keyFile } as const;
    const home = await openDiskKeyManager({
      directory: temporary.join('keys'),
      encryption: keyFile,
      log: silentLog,
    });
    await home.import('company-root', root.key.privateKeyPkcs8);
    await home.close();
    expect((await issueFrom(settings)).at(-1)).toBe(toPem(root.certificate));
  });

  it('is not taken over when the store has a root already, which goes on', async () => {
    const first = await settingsFor(
      await newRoot().then((root) => ({ ...root, chain: [], roots: [root.certificate] })),
    );
    const { authority: _authority, ...fresh } = first;
    const before = await issueFrom(fresh);
    const { log, lines } = recordingLog();
    await using server = await startTestServer(first, { directory: temporary.path, log });
    expect(lines).toContainEqual(
      expect.objectContaining({
        level: 'warn',
        message: expect.stringContaining('rotate start --from existing'),
      }),
    );
    expect(server.app.authority.bundle().pem).toBe(before.at(-1));
    expect(server.app.authority.records().filter(({ kind }) => kind !== 'issuing')).toHaveLength(1);
  });
});
