import { randomBytes } from 'node:crypto';
import { readdirSync, watch, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { startProcess, type TemporaryDirectory, temporaryDirectory, waitFor } from '../../parts/index.ts';
import { runCitadel } from '../../support/citadel.ts';

const program = join(import.meta.dirname, '../../../scripts/citadel');
const anyPort = '127.0.0.1:0';

let directory: TemporaryDirectory;
beforeEach(async () => {
  directory = await temporaryDirectory();
  writeFileSync(directory.join('key'), randomBytes(32), { mode: 0o600 });
  writeFileSync(
    directory.join('citadel.yaml'),
    JSON.stringify({
      mode: 'development',
      trustDomain: 'rehearsal.test',
      dataDirectory: 'data',
      listen: { csr: anyPort, operator: anyPort, metrics: anyPort },
      keys: { disk: { encryption: { keyFile: 'key' } } },
      attestation: { development: { key: { issuerKeyFile: 'issuer.pem' } } },
    }),
  );
});
afterEach(() => directory[Symbol.asyncDispose]());

const serve = () =>
  startProcess(program, ['server', '--config', directory.join('citadel.yaml')], {
    readyWhen: /"message":"ready"/,
  });
const citadel = (...args: readonly string[]) =>
  runCitadel([...args, '--socket', directory.join('data/operator.sock')], {
    directory: directory.path,
    home: 'home',
  });
const keysIn = (name: string) => readdirSync(directory.join(`data/${name}`)).toSorted();
const allKeys = () => [...keysIn('keys'), ...keysIn('issuing-keys')];
const throwaway = () => allKeys().filter((name) => name.startsWith('rehearsal-'));
const sockets = () => readdirSync(directory.join('data')).filter((name) => name.startsWith('rehearse'));

describe('citadel rotate rehearse, on disk', () => {
  it('shows each step, and leaves neither a key nor a socket behind', async () => {
    await using server = await serve();
    const before = allKeys();
    const done = await citadel(
      'rotate',
      'rehearse',
      '--algorithm',
      'ed25519',
      '--reason',
      'before the real one',
    );
    expect(done.code).toBe(0);
    expect(done.stdout).toMatch(/make a root key +done +ed25519, rehearsal-/);
    expect(done.stdout).toMatch(/read it back +done +2 roots, accepted as [0-9a-f]{12}/);
    expect(done.stdout).not.toContain('failed');
    expect(allKeys()).toStrictEqual(before);
    expect(sockets()).toStrictEqual([]);
    const audit = await citadel('audit', 'list', '--action', 'rotation.rehearse', '-o', 'json');
    expect(JSON.parse(audit.stdout)).toMatchObject([{ reason: 'before the real one' }]);
    await server.stop();
  }, 180_000);

  it('killed in the midst, its keys go at the next start', async () => {
    await waitFor(
      async () => {
        await using server = await serve();
        const watcher = watch(directory.join('data/issuing-keys'), (_, name) => {
          if (name?.startsWith('rehearsal-')) server.kill('SIGKILL');
        });
        const cut = await citadel('rotate', 'rehearse');
        watcher.close();
        // It may have been over before the signal arrived: then once more.
        return cut.code !== 0 && throwaway().length > 0;
      },
      { deadline: 150_000 },
    );
    expect(throwaway()).not.toHaveLength(0);
    await using again = await serve();
    await waitFor(() => throwaway().length === 0 && sockets().length === 0);
    const audit = await citadel('audit', 'list', '--action', 'rotation.rehearse.clear', '-o', 'json');
    expect(JSON.parse(audit.stdout)).not.toHaveLength(0);
    await again.stop();
  }, 180_000);
});
