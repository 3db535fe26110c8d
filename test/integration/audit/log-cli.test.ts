import { randomBytes } from 'node:crypto';
import { copyFile, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type TemporaryDirectory, temporaryDirectory } from '../../parts/index.ts';
import { runCitadel } from '../../support/citadel.ts';
import { newRequest, startTestServer, type TestServer } from '../../support/server.ts';

let directory: TemporaryDirectory;
let data: string;
let server: TestServer;
let key: string;

const settings = () => ({
  keys: { disk: { encryption: { keyFile: directory.join('key') } } },
  audit: { checkpoints: { interval: '1s', file: { path: directory.join('checkpoints') } } },
});
const start = () => startTestServer(settings(), { directory: data });
const issue = async () => {
  const { csr } = await newRequest();
  await server.create({ csr }, { token: (await server.token()).reveal() });
};
const citadel = (...args: readonly string[]) => runCitadel(args, { directory: directory.path, home: 'home' });
const online = (...args: readonly string[]) => citadel(...args, '--socket', join(data, 'operator.sock'));
const offline = (store: string, ...more: readonly string[]) =>
  citadel(
    'log',
    'verify',
    '--store',
    store,
    '--key',
    key,
    '--checkpoints',
    'checkpoints',
    '-o',
    'json',
    ...more,
  );

beforeAll(async () => {
  directory = await temporaryDirectory('log-cli');
  data = directory.join('data');
  await mkdir(data, { mode: 0o700 });
  await writeFile(directory.join('key'), randomBytes(32), { mode: 0o600 });
  server = await start();
  await issue();
  key = (await online('log', 'show', '--format', 'key')).stdout.trim();
});
afterAll(async () => {
  await server.stop();
  await directory[Symbol.asyncDispose]();
});

describe('citadel log', () => {
  test('verify recomputes what a server has, and asks for the pinned key and what was kept outside', async () => {
    const alone = await online('log', 'verify', '-o', 'json');
    expect(alone.code).toBe(1);
    const { state, verified, faults, warnings } = JSON.parse(alone.stdout);
    expect({ state, faults }).toEqual({ state: 'warning', faults: [] });
    expect(warnings).toEqual([
      expect.stringContaining('pin it with --key'),
      expect.stringContaining('no --checkpoints were given'),
    ]);
    expect(verified).toBe((await server.app.store.audit.head()).size);
    const pinned = await online('log', 'verify', '--key', key, '--checkpoints', 'checkpoints');
    expect(pinned).toMatchObject({ code: 0, stderr: '' });
    expect(pinned.stdout).toContain('every entry is as it was recorded');
  });

  test('prove prints what the pinned key proves, without a server', async () => {
    const { items } = await server.app.store.issuance.find({ limit: 10 });
    const issued = (await server.app.store.audit.find({ limit: 10, action: 'certificate.issue' })).items[0];
    const serial = issued?.details['serial'] ?? '';
    expect(items.map((each) => each.serial)).toContain(serial);
    const proof = await online('log', 'prove', '--serial', serial.toUpperCase());
    expect(proof.code).toBe(0);
    await writeFile(directory.join('proof'), proof.stdout);
    const checked = await citadel('log', 'check-proof', 'proof', '--key', key, '-o', 'json');
    expect(checked.code).toBe(0);
    expect(JSON.parse(checked.stdout)).toMatchObject({
      action: 'certificate.issue',
      target: issued?.target,
      details: expect.stringContaining(serial),
    });
    const extra = /^extra (.*)$/m.exec(proof.stdout)?.[1] ?? '';
    const forged = Buffer.from(extra, 'base64').toString('latin1').replace('issued', 'issueD');
    await writeFile(
      directory.join('proof'),
      proof.stdout.replace(extra, Buffer.from(forged, 'latin1').toString('base64')),
    );
    expect(await citadel('log', 'check-proof', 'proof', '--key', key)).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('the proof is wrong'),
    });
    expect((await online('log', 'prove', '--serial', '00')).code).toBe(66);
    expect((await online('log', 'prove', '999999')).code).toBe(66);
    expect((await online('log', 'prove')).code).toBe(64);
  });

  test('verify reads a stopped store, and accept takes an older one, on the record', async () => {
    const file = join(data, 'citadel.db');
    expect((await offline(file)).stderr).toContain('another process uses this store');
    await server.stop();
    await copyFile(file, directory.join('older.db'));
    expect(await offline(file)).toMatchObject({ code: 0 });
    server = await start();
    await issue();
    await server.stop();

    await copyFile(file, directory.join('changed.db'));
    const database = new Database(directory.join('changed.db'));
    database.exec("update audit set subject = 'operator:eve' where sequence = 2");
    database.close();
    const changed = await offline('changed.db');
    expect(changed.code).toBe(2);
    expect(JSON.parse(changed.stdout)).toMatchObject({
      state: 'broken',
      faults: [{ kind: 'changed', sequence: 2, what: 'entry 2 was changed' }],
    });

    await copyFile(directory.join('older.db'), file);
    await rm(`${file}-wal`, { force: true });
    const behind = await offline(file);
    expect(behind.code).toBe(2);
    expect(JSON.parse(behind.stdout).faults).toEqual([expect.objectContaining({ kind: 'cut' })]);
    await expect(start()).rejects.toThrow('an older store is in its place');

    const config = directory.join('server.json');
    await writeFile(
      config,
      JSON.stringify({
        mode: 'development',
        trustDomain: 'example.org',
        dataDirectory: data,
        attestation: { development: { key: { issuerKeyFile: join(data, 'development-issuer.pem') } } },
        ...settings(),
      }),
    );
    const accept = ['log', 'accept', '--config', config];
    expect((await citadel(...accept)).code).toBe(64);
    expect((await citadel(...accept, '--reason', 'the disk broke')).code).toBe(1);
    await expect(start()).rejects.toThrow('an older store is in its place');
    expect((await citadel(...accept, '--reason', 'the disk broke', '--yes')).code).toBe(0);

    server = await start();
    const [accepted] = (await server.app.store.audit.find({ limit: 1, action: 'audit.accept' })).items;
    expect(accepted).toMatchObject({ reason: 'the disk broke', subject: `local:${process.getuid?.()}` });
    expect(await readFile(directory.join('checkpoints'), 'utf8')).toMatch(/^abandoned \d+ /m);
    const after = await online('log', 'verify', '--key', key, '--checkpoints', 'checkpoints');
    expect(after.code).toBe(1);
    expect(after.stderr).toContain('an operator took an older store');
  }, 120_000);
});
