import { randomBytes } from 'node:crypto';
import { copyFile, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openSqliteStore } from '../../../src/adapters/store/sqlite/index.ts';
import { silentLog, systemClock } from '../../../src/kernel/index.ts';
import { hasPart, type TemporaryDirectory, temporaryDirectory, waitFor } from '../../parts/index.ts';
import { type OpenBao, startOpenBao } from '../../parts/openbao.ts';
import { member } from '../../parts/vault-home.ts';
import { newRequest, startTestServer, type TestServer } from '../../support/server.ts';
import { vaultSettings } from '../../support/vault-settings.ts';

describe.skipIf(!hasPart('openbao'))('a record that is sworn to in a real OpenBao', () => {
  let bao: OpenBao;
  let directory: TemporaryDirectory;
  let data: string;
  let start: () => Promise<TestServer>;

  beforeAll(async () => {
    bao = await startOpenBao();
    directory = await temporaryDirectory('vault-place');
    data = directory.join('data');
    await mkdir(data, { mode: 0o700 });
    await writeFile(directory.join('disk-key'), randomBytes(32), { mode: 0o600 });
    await bao.request('POST', 'sys/mounts/secret', { type: 'kv', options: { version: '2' } });
    const answers = () =>
      bao.request('LIST', 'secret/metadata').then(
        () => true,
        (error: unknown) => String(error).includes('404'),
      );
    await waitFor(answers, { what: 'the key-value engine to answer' });
    const { vault } = await vaultSettings(bao, directory.path);
    start = () =>
      startTestServer(
        {
          keys: { disk: { encryption: { keyFile: directory.join('disk-key') } } },
          audit: { checkpoints: { interval: '1s', vault } },
        },
        { directory: data },
      );
  });
  afterAll(async () => {
    await bao[Symbol.asyncDispose]();
    await directory[Symbol.asyncDispose]();
  });

  const issue = async (server: TestServer) => {
    const { csr } = await newRequest();
    await server.create({ csr }, { token: (await server.token()).reveal() });
  };
  const sworn = async () => {
    const reply = await bao.request('GET', 'secret/data/citadel/audit');
    return Number(String(member(reply, 'data', 'data', 'checkpoint')).split('\n')[1]);
  };
  const ready = async (server: TestServer) => {
    const reply = await fetch(`http://127.0.0.1:${server.app.monitoring.address.port}/readyz?verbose`);
    return `${reply.status} ${await reply.text()}`;
  };
  /** @returns how long the record is then: a server that stops may have had more to say */
  const stopped = async (server: TestServer) => {
    await server.stop();
    const file = join(data, 'citadel.db');
    const store = await openSqliteStore({ file, clock: systemClock, log: silentLog });
    const { size } = await store.audit.head();
    await store.close();
    return size;
  };

  test('goes on while it is sealed, and is refused where it is behind, at the start or when OpenBao is back', async () => {
    const first = await start();
    await issue(first);
    const older = await stopped(first);
    expect(await sworn()).toBe(older);
    await copyFile(join(data, 'citadel.db'), directory.join('older.db'));

    const second = await start();
    await bao.seal();
    await issue(second);
    await waitFor(async () => (await ready(second)).includes('[!]audit-checkpoints-vault'), {
      what: 'the place to be told away',
    });
    expect(await ready(second)).toMatch(/^200 /);
    await bao.unseal();
    await waitFor(async () => (await sworn()) > older, { what: 'the place to catch up', deadline: 60_000 });
    await issue(second);
    const newest = await stopped(second);
    expect(await sworn()).toBe(newest);

    await copyFile(directory.join('older.db'), join(data, 'citadel.db'));
    await expect(start()).rejects.toThrow(/\(vault\).*an older store is in its place/s);
    // Nobody can be asked: it starts, and is found out.
    await bao.seal();
    const third = await start();
    await bao.unseal();
    await waitFor(async () => (await ready(third)).startsWith('503'), {
      what: 'the older store to be found out',
      deadline: 60_000,
    });
    expect(await ready(third)).toContain('[-]audit-checkpoints-vault');
    await third.stop();
    expect(await sworn()).toBe(newest);
  }, 180_000);
});
