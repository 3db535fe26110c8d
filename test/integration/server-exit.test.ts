import { type ChildProcess, execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { chmodSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type TemporaryDirectory, temporaryDirectory } from '../parts/index.ts';

const program = join(import.meta.dirname, '../../scripts/citadel');
const anyPort = '127.0.0.1:0';

let directory: TemporaryDirectory;
beforeEach(async () => {
  directory = await temporaryDirectory();
  writeFileSync(directory.join('key'), randomBytes(32), { mode: 0o600 });
  configure(anyPort);
});
afterEach(() => directory[Symbol.asyncDispose]());

function configure(metrics: string): void {
  const config = {
    mode: 'development',
    trustDomain: 'exit.test',
    dataDirectory: 'data',
    listen: { csr: anyPort, operator: anyPort, metrics },
    keys: { disk: { encryption: { keyFile: 'key' } } },
    attestation: { development: { key: { issuerKeyFile: 'issuer.pem' } } },
  };
  writeFileSync(directory.join('citadel.yaml'), JSON.stringify(config));
}

interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly errors: readonly string[];
}

/** Runs a server until it ends by itself or `act` makes it; log lines are left out of `errors`. */
function serve(act: (child: ChildProcess) => void = () => {}): Promise<Ended> {
  return new Promise((done) => {
    const options = { timeout: 30_000, env: { PATH: process.env['PATH'] } };
    const args = ['server', '--config', directory.join('citadel.yaml')];
    const child = execFile(program, args, options, (error, stdout, stderr) => {
      const code = error === null ? 0 : typeof error.code === 'number' ? error.code : -1;
      const errors = stderr.split('\n').filter((line) => line !== '' && !line.startsWith('{'));
      done({ code, stdout, errors });
    });
    act(child);
  });
}

const stopWhenReady = (child: ChildProcess) => {
  let seen = '';
  child.stderr?.on('data', (chunk: unknown) => {
    seen += String(chunk);
    if (seen.includes('"message":"ready"')) child.kill('SIGTERM');
  });
};

describe('citadel server', () => {
  it('ends orderly at SIGTERM, and offers the first credential on standard output alone', async () => {
    const { code, stdout, errors } = await serve(stopWhenReady);
    expect({ code, errors }).toEqual({ code: 0, errors: [] });
    expect(stdout).toMatch(/citadel-enrol-[\w-]{43}/);
  });

  it('says in one line that a port is in use', async () => {
    const other = createServer().listen(0, '127.0.0.1');
    await once(other, 'listening');
    const address = other.address();
    const port = typeof address === 'object' ? address?.port : undefined;
    configure(`127.0.0.1:${port}`);
    const { code, errors } = await serve();
    other.close();
    expect(code).toBe(2);
    expect(errors).toEqual([expect.stringContaining(`127.0.0.1:${port} is in use`)]);
  });

  it('says in one line that its key is missing, open to others or wrong', async () => {
    await serve(stopWhenReady);
    writeFileSync(directory.join('key'), randomBytes(32), { mode: 0o600 });
    const wrong = await serve();
    expect(wrong).toMatchObject({ code: 2, errors: [expect.stringContaining('wrong key file')] });
    chmodSync(directory.join('key'), 0o644);
    const open = await serve();
    expect(open.code).toBe(2);
    expect(open.errors).toHaveLength(1);
    rmSync(directory.join('key'));
    const missing = await serve();
    expect(missing).toMatchObject({ code: 2, errors: [expect.stringContaining('cannot be read')] });
  });

  it('names each mistake of its configuration with line and column', async () => {
    const text = 'mode: development\ntrustDomain: Exit.Test\nkeys: {disk: {}}\nattestatoin: {}\n';
    writeFileSync(directory.join('citadel.yaml'), text);
    const { code, errors } = await serve();
    expect(code).toBe(2);
    const all = errors.join('\n');
    expect(all).toMatch(/:2:14: trustDomain/);
    expect(all).toMatch(/:4:1: .*attestatoin.*attestation/);
  });

  it('leaves a store alone that a newer version wrote, and one that is damaged or no store', async () => {
    await serve(stopWhenReady);
    const file = directory.join('data', 'citadel.db');
    const sound = readFileSync(file);
    const database = new Database(file);
    database.exec("insert into __drizzle_migrations (hash, created_at) values ('of a later version', 0)");
    database.close();
    const newer = await serve();
    expect(newer).toMatchObject({ code: 2, errors: [expect.stringContaining('run the newer program')] });
    const before = readFileSync(file);
    expect((await serve()).code).toBe(2);
    expect(readFileSync(file).equals(before)).toBe(true);

    writeFileSync(file, 'this is no store');
    const foreign = await serve();
    expect(foreign.code).toBe(2);
    expect(foreign.errors).toHaveLength(1);
    expect(readFileSync(file, 'utf8')).toBe('this is no store');

    writeFileSync(file, sound);
    expect((await serve(stopWhenReady)).code).toBe(0);
  });

  it.each<[string, (store: Buffer) => Buffer, RegExp]>([
    [
      'in its midst',
      (store) => Buffer.from(store).fill(0xa5, store.length / 2, store.length / 2 + 8192),
      /the store is corrupt: restore it from a backup/,
    ],
    [
      'by being cut short',
      (store) => store.subarray(0, 5 * 4096),
      /the store is corrupt: restore it from a backup/,
    ],
    [
      'at its beginning',
      (store) => Buffer.from(store).fill(0xa5, 0, 100),
      /not a database, or its beginning is damaged: restore it from a backup/,
    ],
  ])('leaves a store alone that is damaged %s, and says what to do', async (_name, damage, message) => {
    await serve(stopWhenReady);
    const file = directory.join('data', 'citadel.db');
    const sound = readFileSync(file);
    const damaged = damage(sound);
    writeFileSync(file, damaged);
    expect(await serve()).toEqual({
      code: 2,
      stdout: '',
      errors: [expect.stringMatching(message)],
    });
    expect(readFileSync(file).equals(damaged)).toBe(true);
    writeFileSync(file, sound);
    expect((await serve(stopWhenReady)).code).toBe(0);
  });

  it('says in one line that an issuing key is damaged', async () => {
    await serve(stopWhenReady);
    const keys = directory.join('data', 'issuing-keys');
    const [name = ''] = readdirSync(keys);
    writeFileSync(join(keys, name), readFileSync(join(keys, name)).fill(0xa5, 40, 60));
    const damaged = await serve();
    expect(damaged).toMatchObject({ code: 2, errors: [expect.stringContaining('restore it from a backup')] });
  });

  it('refuses to be the second on one store', async () => {
    let second: Promise<Ended> | undefined;
    const first = await serve((child) => {
      let seen = '';
      child.stderr?.on('data', (chunk: unknown) => {
        seen += String(chunk);
        if (second || !seen.includes('"message":"ready"')) return;
        second = serve().finally(() => child.kill('SIGTERM'));
      });
    });
    expect(first.code).toBe(0);
    expect(await second).toMatchObject({
      code: 2,
      errors: [expect.stringContaining('another process uses this store')],
    });
  });
});
