import {
  chmod,
  mkdir,
  readdir,
  readFile,
  rename,
  stat,
  symlink,
  truncate,
  writeFile,
} from 'node:fs/promises';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type DiskEncryption, openDiskKeyManager } from '../../../../src/adapters/keys/disk/index.ts';
import { type Log, Secret, silentLog } from '../../../../src/kernel/index.ts';
import { type TemporaryDirectory, temporaryDirectory } from '../../../parts/temporary.ts';

const passphrase = (text = 'correct horse battery'): DiskEncryption => ({
  kind: 'passphrase',
  passphrase: new Secret(text),
});
const failure = (code: string, message: RegExp, details?: RegExp) =>
  expect.objectContaining({
    code,
    message: expect.stringMatching(message),
    ...(details ? { details: expect.stringMatching(details) } : {}),
  });

let parent: TemporaryDirectory;
let directory: string;
const file = (name: string) => `${directory}/${name}`;
const open = (encryption = passphrase(), log: Log = silentLog) =>
  openDiskKeyManager({ directory, encryption, log });

beforeEach(async () => {
  parent = await temporaryDirectory('keys');
  directory = parent.join('keys');
});
afterEach(async () => {
  await parent[Symbol.asyncDispose]();
});

async function edit(name: string, change: (value: Record<string, unknown>) => void): Promise<void> {
  const value: Record<string, unknown> = JSON.parse(await readFile(file(name), 'utf8'));
  change(value);
  await writeFile(file(name), JSON.stringify(value));
}

describe('files', () => {
  test('are closed to others, encrypted, and nothing else is left behind', async () => {
    const keys = await open();
    await keys.generate('root', 'ecdsa-p256');
    expect((await stat(directory)).mode & 0o777).toBe(0o700);
    expect((await stat(file('root.key'))).mode & 0o777).toBe(0o600);
    expect(await readdir(directory)).toEqual(['root.key']);
    const text = await readFile(file('root.key'), 'utf8');
    expect(text).not.toMatch(/PRIVATE|correct horse/);
    const { ciphertext }: { ciphertext: string } = JSON.parse(text);
    expect(Buffer.from(ciphertext, 'base64').subarray(0, 4)).not.toEqual(Buffer.from([0x30, 0x81, 0x87, 2]));
  });

  test('what a crash left half written is taken away', async () => {
    await mkdir(directory, { mode: 0o700 });
    await writeFile(file('.root.0123456789abcdef.tmp'), 'half', { mode: 0o600 });
    expect(await (await open()).list()).toEqual([]);
    expect(await readdir(directory)).toEqual([]);
  });

  test('a directory that others may read is refused with the command that mends it', async () => {
    await mkdir(directory);
    await chmod(directory, 0o750);
    await expect(open()).rejects.toEqual(
      failure('FailedPrecondition', /mode must be 0700/, /^chmod 0700 \//),
    );
    await chmod(directory, 0o700);
    await open();
  });

  test('a key file that others may read is refused, at its use and by the check', async () => {
    await (await open()).generate('root', 'ecdsa-p256');
    await chmod(file('root.key'), 0o640);
    const keys = await open();
    const refused = failure('FailedPrecondition', /mode must be 0600/, /^chmod 0600 \/.*root\.key$/);
    await expect(keys.get('root')).rejects.toEqual(refused);
    await expect(keys.check()).rejects.toEqual(refused);
    await chmod(file('root.key'), 0o600);
    expect(await keys.get('root')).toMatchObject({ id: 'root' });
  });

  test('a link in place of a key file is not followed', async () => {
    await (await open()).generate('root', 'ecdsa-p256');
    await rename(file('root.key'), parent.join('elsewhere'));
    await symlink(parent.join('elsewhere'), file('root.key'));
    await expect((await open()).get('root')).rejects.toEqual(failure('FailedPrecondition', /cannot be read/));
  });

  test('messages name no path', async () => {
    await mkdir(directory);
    await chmod(directory, 0o755);
    const message = await open().then(
      () => '',
      (error: Error) => error.message,
    );
    expect(message).not.toBe('');
    expect(message).not.toContain(parent.path);
  });
});

describe('protection', () => {
  test('a wrong passphrase is told at the opening, and harms nothing', async () => {
    const made = await (await open()).generate('root', 'ed25519');
    await expect(open(passphrase('wrong horse battery'))).rejects.toEqual(
      failure('FailedPrecondition', /wrong passphrase/),
    );
    expect((await (await open()).get('root'))?.publicKey).toEqual(made.publicKey);
  });

  test('a short passphrase is refused', async () => {
    await expect(open(passphrase('short'))).rejects.toEqual(failure('InvalidArgument', /at least 8/));
  });

  test.each([31, 33, 0])('a key file of %i bytes is refused', async (length) => {
    await writeFile(parent.join('unlock'), Buffer.alloc(length, 1), { mode: 0o600 });
    await expect(open({ kind: 'key-file', path: parent.join('unlock') })).rejects.toEqual(
      failure('FailedPrecondition', /exactly 32 bytes/, /head -c 32/),
    );
  });

  test('a key file that others may read, another one, and none are refused', async () => {
    const path = parent.join('unlock');
    const encryption: DiskEncryption = { kind: 'key-file', path };
    await expect(open(encryption)).rejects.toEqual(failure('FailedPrecondition', /cannot be read/));
    await writeFile(path, Buffer.alloc(32, 1), { mode: 0o600 });
    await (await open(encryption)).generate('root', 'ed25519');
    await chmod(path, 0o644);
    await expect(open(encryption)).rejects.toEqual(failure('FailedPrecondition', /0600/, /^chmod 0600/));
    await chmod(path, 0o600);
    await writeFile(path, Buffer.alloc(32, 2));
    await expect(open(encryption)).rejects.toEqual(failure('FailedPrecondition', /wrong key file/));
    await expect(open(passphrase())).rejects.toEqual(failure('FailedPrecondition', /under a key file/));
  });
});

describe('a file that was changed', () => {
  beforeEach(async () => {
    const keys = await open();
    await keys.generate('root', 'ecdsa-p256');
    await keys.close();
  });

  const refusedEverywhere = async (id: string, error: unknown) => {
    const before = await readFile(file(`${id}.key`));
    const keys = await open();
    await expect(keys.get(id)).rejects.toEqual(error);
    await expect(keys.list()).rejects.toEqual(error);
    await expect(keys.check()).rejects.toEqual(error);
    await expect(keys.generate(id, 'ecdsa-p256')).rejects.toEqual(failure('AlreadyExists', /already/));
    expect(await readFile(file(`${id}.key`))).toEqual(before);
  };

  test('renamed to another id', async () => {
    await rename(file('root.key'), file('other.key'));
    await refusedEverywhere('other', failure('DataLoss', /renamed/, /"root"/));
  });

  test('renamed, and its header made to fit', async () => {
    await rename(file('root.key'), file('other.key'));
    await edit('other.key', (value) => (value['id'] = 'other'));
    await refusedEverywhere('other', failure('DataLoss', /damaged or changed/));
  });

  test('another algorithm', async () => {
    await edit('root.key', (value) => (value['algorithm'] = 'ecdsa-p384'));
    await refusedEverywhere('root', failure('DataLoss', /damaged or changed/));
  });

  test('one bit of the ciphertext', async () => {
    await edit('root.key', (value) => {
      const bytes = Buffer.from(String(value['ciphertext']), 'base64');
      bytes.writeUInt8((bytes[40] ?? 0) ^ 1, 40);
      value['ciphertext'] = bytes.toString('base64');
    });
    await refusedEverywhere('root', failure('DataLoss', /damaged or changed/));
  });

  test.each([
    ['N below the least', { cost: 2 ** 14 }],
    ['N above the most', { cost: 2 ** 30 }],
    ['N not a power of two', { cost: 40_000 }],
    ['a large p', { parallelization: 1000 }],
    ['a short salt', { salt: 'AAAA' }],
    ['a member too many', { more: 1 }],
  ])('parameters out of bounds: %s', async (_what, changed) => {
    await edit('root.key', (value) => Object.assign(Object(value['derivation']), changed));
    await refusedEverywhere('root', failure('DataLoss', /damaged/));
  });

  test('cut off, empty, too large', async () => {
    await truncate(file('root.key'), 100);
    await refusedEverywhere('root', failure('DataLoss', /damaged/));
    await truncate(file('root.key'), 0);
    await refusedEverywhere('root', failure('DataLoss', /damaged/));
    await truncate(file('root.key'), 20_000);
    await refusedEverywhere('root', failure('DataLoss', /damaged/, /larger/));
  });

  test('of a newer format', async () => {
    await edit('root.key', (value) => (value['citadelKey'] = 2));
    await refusedEverywhere('root', failure('FailedPrecondition', /newer version/));
  });

  test('the others go on serving', async () => {
    const keys = await open();
    await keys.generate('good', 'ecdsa-p256');
    await truncate(file('root.key'), 10);
    const again = await open();
    expect(await again.get('good')).toMatchObject({ id: 'good' });
  });
});
