import { randomBytes } from 'node:crypto';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { parseCertificate } from '../../src/pki/index.ts';
import { type TemporaryDirectory, temporaryDirectory, waitFor } from '../parts/index.ts';
import { runCitadel } from '../support/citadel.ts';
import { newRequest, startTestServer, type TestServer } from '../support/server.ts';

let directory: TemporaryDirectory;
let recipient: string;

const at = (...names: readonly string[]) => join(directory.path, ...names);
const citadel = (...args: readonly string[]) => runCitadel(args, { directory: directory.path, home: 'home' });

beforeEach(async () => {
  directory = await temporaryDirectory();
  writeFileSync(at('key-file'), randomBytes(32), { mode: 0o600 });
  const { stdout } = await citadel('backup', 'keygen', '--to', 'identity');
  recipient = stdout.trim();
});
afterEach(() => directory[Symbol.asyncDispose]());

const settings = () => ({
  keys: { disk: { encryption: { keyFile: at('key-file') } } },
  backup: { recipients: [recipient] },
  // Outside of every server's own directory.
  audit: { checkpoints: { file: { path: at('checkpoints') } } },
});

const start = (name: string) =>
  startTestServer({ dataDirectory: at(name), ...settings() }, { directory: directory.path });

const sampleEvent = {
  at: new Date(),
  action: 'test.write',
  outcome: 'allowed',
  subject: 'test',
  proof: 'test',
  target: 'test',
  reason: '',
} as const;

/** A configuration file of a server that is to keep its state elsewhere. */
function configFile(name: string, more: object = {}): string {
  const file = at(`${name}.yaml`);
  const anyPort = '127.0.0.1:0';
  const config = {
    mode: 'development',
    trustDomain: 'example.org',
    dataDirectory: at(name),
    listen: { csr: anyPort, operator: anyPort, metrics: anyPort, webhook: anyPort },
    attestation: { development: { key: { issuerKeyFile: at('development-issuer.pem') } } },
    ...settings(),
    ...more,
  };
  writeFileSync(file, stringify(config));
  return file;
}

async function issue(server: TestServer) {
  const { csr } = await newRequest();
  const { certChain } = await server.create({ csr }, { token: (await server.token()).reveal() });
  return { serial: parseCertificate(certChain[0] ?? '').serialHex, root: certChain.at(-1) };
}

const create = (name: string, file = 'backup.age') =>
  citadel('backup', 'create', '--to', file, '--reason', 'nightly', '--socket', at(name, 'operator.sock'));

const restore = (name: string, ...more: readonly string[]) =>
  citadel('backup', 'restore', 'backup.age', '--identity', 'identity', '--config', `${name}.yaml`, ...more);

const accept = (name: string, ...more: readonly string[]) =>
  citadel('log', 'accept', '--config', `${name}.yaml`, '--yes', '--reason', 'the machine burnt', ...more);

describe('a backup of a running server', () => {
  it('is restored elsewhere: same root, same inventory, and issuing goes on', async () => {
    const first = await start('first');
    const before = await issue(first);
    const made = await create('first');
    expect(made.stderr).toBe('');
    expect(made.stdout).toMatch(/^backup\.age: \d+ bytes, sha256 [0-9a-f]{64}\n$/);
    expect(statSync(at('backup.age')).mode & 0o777).toBe(0o600);
    // Nothing of it stays beside the store.
    expect(readdirSync(at('first')).filter((name) => name.startsWith('.backup'))).toEqual([]);
    await issue(first);
    await first.stop();

    const verified = await citadel('backup', 'verify', 'backup.age', '--identity', 'identity', '-o', 'json');
    expect(JSON.parse(verified.stdout)).toMatchObject({
      trustDomain: 'example.org',
      liveCertificates: 2,
      authorities: [
        { kind: 'root', state: 'active', keyIncluded: true },
        { kind: 'issuing', state: 'active', keyIncluded: true },
      ],
    });

    configFile('second');
    const restored = await restore('second', '--yes');
    expect(restored.stderr).toContain('Restores backup.age into');
    expect(restored.code).toBe(0);
    // What happened since the backup is lost, and nobody goes on without a word.
    await expect(start('second').then((started) => started.stop())).rejects.toThrow(
      /nothing that is missing takes anything back/,
    );
    const accepted = await accept('second');
    expect(accepted.stdout).toContain('Accepted, as entry');
    await using second = await start('second');
    expect(await second.app.store.issuance.get(before.serial)).toMatchObject({ state: 'issued' });
    expect((await issue(second)).root).toBe(before.root);
    const { items } = await second.app.store.audit.find({ action: 'audit.accept', limit: 10 });
    expect(items).toMatchObject([{ reason: 'the machine burnt', subject: `local:${process.getuid?.()}` }]);
    // Somebody has a certificate of which this store knows nothing: no rotation goes on over his head.
    const { rotation } = second.app;
    const ann = { by: 'operator:ann', proof: 'client-certificate', reason: 'the machine burnt' };
    await rotation.start({ ...ann, oldRoot: (await rotation.status()).activeRoot });
    await expect(rotation.continue({ ...ann, phase: 'distribute', force: false })).rejects.toThrow(
      /the store was set back: .* the last of these ends at/,
    );
  });

  it('has what was written while it was read, or not, and is sound either way', async () => {
    await using server = await start('first');
    const made = create('first');
    const ended = new AbortController();
    void made.finally(() => ended.abort());
    for (let number = 0; !ended.signal.aborted; number++)
      await server.app.store.audit.append({ ...sampleEvent, details: { number: String(number) } });
    const { code } = await made;
    expect(code).toBe(0);
    const { stdout: key } = await citadel(
      'log',
      'show',
      '--format',
      'key',
      '--socket',
      at('first', 'operator.sock'),
    );
    const verified = await citadel(
      'backup',
      'verify',
      'backup.age',
      '--identity',
      'identity',
      '--key',
      key.trim(),
    );
    expect(verified.stderr).toBe('');
    expect(verified.code).toBe(0);
  });

  it('leaves nothing behind for good, also when the server is killed in the midst', async () => {
    mkdirSync(at('first', '.backup-killed'), { recursive: true });
    await using _server = await start('first');
    expect(existsSync(at('first', '.backup-killed'))).toBe(false);
  });

  it('needs a recipient, which no caller chooses', async () => {
    await using _server = await startTestServer(
      { dataDirectory: at('first') },
      { directory: directory.path },
    );
    const { code, stderr } = await create('first');
    expect(stderr).toContain('set backup.recipients');
    expect(code).toBe(2);
  });

  it('is on record with who asked', async () => {
    await using server = await start('first');
    await create('first');
    const { items } = await server.app.store.audit.find({ action: 'backup.create', limit: 10 });
    expect(items).toMatchObject([{ reason: 'nightly', subject: `local:${process.getuid?.()}` }]);
  });

  it('never replaces a file, and leaves none behind when it fails', async () => {
    await using _server = await start('first');
    writeFileSync(at('backup.age'), 'precious');
    const { code, stderr } = await create('first');
    expect(stderr).toContain('backup.age is there already');
    expect(code).toBe(2);
    expect(readFileSync(at('backup.age'), 'utf8')).toBe('precious');
    expect(readdirSync(directory.path).filter((name) => name.includes('partial'))).toEqual([]);
  });
});

describe('restoring', () => {
  async function backupOf(name: string) {
    const server = await start(name);
    await create(name);
    await server.stop();
  }

  it('refuses to replace the state of a server', async () => {
    await backupOf('first');
    configFile('first');
    const { code, stderr } = await restore('first', '--yes');
    expect(stderr).toContain('is there already');
    expect(code).toBe(2);
  });

  it('refuses a backup of another trust domain, and keys that the configuration has elsewhere', async () => {
    await backupOf('first');
    configFile('second', { trustDomain: 'example.com' });
    expect((await restore('second', '--yes')).stderr).toContain('the configuration names example.com');
    configFile('second', {
      keys: { memory: {} },
      issuingKeys: { disk: { encryption: { keyFile: at('key-file') } } },
    });
    expect((await restore('second', '--yes')).stderr).toContain('has that home elsewhere');
    expect(readdirSync(at('second'))).toEqual([]);
  });

  it('is done with --yes alone', async () => {
    await backupOf('first');
    configFile('second');
    expect((await restore('second')).code).toBe(1);
    expect(existsSync(at('second'))).toBe(false);
  });

  it('never makes good again what was revoked after it, without a word for that very thing', async () => {
    const server = await start('first');
    const { serial } = await issue(server);
    await create('first');
    const revoke = ['certificate', 'revoke', serial, '--reason', 'stolen', '--yes'];
    expect((await citadel(...revoke, '--socket', at('first', 'operator.sock'))).code).toBe(0);
    // As of a machine that is lost a moment later: nobody stops the server in order.
    await waitFor(() =>
      /^revoked [1-9]/m.test(readFileSync(at('checkpoints'), 'utf8').split('\n\n\n').at(-1) ?? ''),
    );
    await server.stop();

    configFile('second');
    const refused = await restore('second', '--yes');
    expect(refused.stderr).toMatch(/would be good again: .*which is missing, takes something back/);
    expect(refused.code).toBe(2);
    expect(readdirSync(at('second'))).toEqual([]);

    expect((await restore('second', '--yes', '--unproven')).code).toBe(0);
    await expect(start('second').then((started) => started.stop())).rejects.toThrow(/takes something back/);
    expect((await accept('second')).stderr).toContain('say --revocations-lost');
    expect((await accept('second', '--revocations-lost')).stdout).toContain('take back again');
    await using second = await start('second');
    expect(await second.app.store.issuance.get(serial)).toMatchObject({ state: 'issued' });
  });

  it('from the midst of a rotation does not trust the old root again unseen, and goes on to the new one by command', async () => {
    const server = await start('first');
    const { rotation } = server.app;
    const ann = { by: 'operator:ann', proof: 'client-certificate', reason: 'it is old' };
    const { activeRoot: oldRoot } = await rotation.status();
    await rotation.start({ ...ann, oldRoot });
    await create('first');
    for (const phase of ['distribute', 'drain'] as const)
      await rotation.continue({ ...ann, phase, force: true });
    await waitFor(async () => (await rotation.current()) === undefined);
    const { activeRoot: newRoot } = await rotation.status();
    // As of a machine that is lost a moment later.
    await waitFor(() =>
      /^revoked [1-9]/m.test(readFileSync(at('checkpoints'), 'utf8').split('\n\n\n').at(-1) ?? ''),
    );
    await server.stop();

    configFile('second');
    const refused = await restore('second', '--yes');
    expect(refused.stderr).toMatch(/would be good again: .*which is missing, takes something back/);
    expect(refused.code).toBe(2);

    expect((await restore('second', '--yes', '--unproven')).code).toBe(0);
    expect((await accept('second', '--revocations-lost')).code).toBe(0);
    await using second = await start('second');
    const again = second.app.rotation;
    expect(await again.status()).toMatchObject({
      activeRoot: oldRoot,
      rotation: { phase: 'distribute', newRoot },
    });
    // Whoever was there in the meantime trusts the new root alone; what the store does not know of waits for a word.
    await expect(again.continue({ ...ann, phase: 'distribute', force: false })).rejects.toThrow(
      /the store was set back/,
    );
    for (const phase of ['distribute', 'drain'] as const)
      await again.continue({ ...ann, phase, force: true });
    expect(second.app.authority.issuer().record.rootFingerprint).toBe(newRoot);
    expect(second.app.authority.bundle().authorities).toHaveLength(1);
    expect(parseCertificate((await issue(second)).root ?? '').fingerprint).toBe(newRoot);
  });

  it('is refused where nothing outside says what was decided after it', async () => {
    await backupOf('first');
    configFile('second', { audit: {} });
    expect((await restore('second', '--yes')).stderr).toContain('no place of audit.checkpoints');
    expect((await restore('second', '--yes', '--unproven')).code).toBe(0);
    // Nor is anybody asked for a word before it starts: what was issued since is known to be unknown all the same.
    const more = { dataDirectory: at('second'), ...settings(), audit: {} };
    await using second = await startTestServer(more, { directory: directory.path });
    const until = await second.app.store.issuance.unrecordedUntil();
    expect(until?.getTime()).toBeGreaterThan(Date.now());
  });

  it('is of the server whose key is pinned: whoever knows the recipient can make one', async () => {
    const first = await start('first');
    const { stdout: key } = await citadel(
      'log',
      'show',
      '--format',
      'key',
      '--socket',
      at('first', 'operator.sock'),
    );
    await create('first');
    await first.stop();
    const genuine = await citadel(
      'backup',
      'verify',
      'backup.age',
      '--identity',
      'identity',
      '--key',
      key.trim(),
    );
    expect(genuine).toMatchObject({ code: 0, stderr: '' });

    const another = { dataDirectory: at('another'), ...settings(), audit: {} };
    const mallory = await startTestServer(another, { directory: directory.path });
    rmSync(at('backup.age'));
    await create('another');
    await mallory.stop();
    const unpinned = await citadel('backup', 'verify', 'backup.age', '--identity', 'identity');
    expect(unpinned).toMatchObject({ code: 0, stderr: expect.stringContaining('who made this backup') });
    configFile('second');
    const forged = await restore('second', '--yes', '--unproven', '--key', key.trim());
    expect(forged).toMatchObject({ code: 2, stderr: expect.stringContaining('was not made by the server') });
    expect(existsSync(at('second', 'server-id'))).toBe(false);
  });

  it('names what is wrong with a backup: changed, cut, of others, none at all', async () => {
    await backupOf('first');
    const whole = readFileSync(at('backup.age'));
    const verify = (identity = 'identity') =>
      citadel('backup', 'verify', 'backup.age', '--identity', identity);

    const changed = Buffer.from(whole);
    changed[whole.length >> 1] = (changed[whole.length >> 1] ?? 0) ^ 1;
    writeFileSync(at('backup.age'), changed);
    expect(await verify()).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('the backup is damaged'),
    });

    writeFileSync(at('backup.age'), whole.subarray(0, whole.length - 100));
    expect(await verify()).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('the backup is damaged'),
    });

    writeFileSync(at('backup.age'), 'hello');
    expect(await verify()).toMatchObject({ code: 2, stderr: expect.stringContaining('it is no age file') });

    writeFileSync(at('backup.age'), whole);
    await citadel('backup', 'keygen', '--to', 'another');
    expect(await verify('another')).toMatchObject({
      code: 77,
      stderr: expect.stringContaining('no identity'),
    });

    copyFileSync(at('key-file'), at('no-identity'));
    const wrong = await verify('no-identity');
    expect(wrong.code).toBe(2);
    expect(wrong.stderr).not.toContain('AGE-SECRET');
  });
});
