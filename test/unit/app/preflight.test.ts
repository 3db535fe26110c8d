import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { preflight } from '../../../src/app/config/index.ts';
import { type TemporaryDirectory, temporaryDirectory } from '../../parts/index.ts';

let directory: TemporaryDirectory;
beforeEach(async () => {
  directory = await temporaryDirectory();
  mkdirSync(join(directory.path, 'registry'));
  writeFileSync(join(directory.path, 'key'), Buffer.alloc(32), { mode: 0o600 });
});
afterEach(() => directory[Symbol.asyncDispose]());

/** What is not well, by name. */
async function judge(operatorPort = 0): Promise<Readonly<Record<string, string>>> {
  const file = join(directory.path, 'citadel.yaml');
  writeFileSync(
    file,
    JSON.stringify({
      trustDomain: 'a.test',
      dataDirectory: 'data',
      keys: { disk: { encryption: { keyFile: 'key' } } },
      attestation: { svidRenewal: true },
      listen: { csr: '127.0.0.1:0', metrics: '127.0.0.1:0', operator: `127.0.0.1:${operatorPort}` },
      mesh: { sources: { files: { directory: 'registry' } } },
    }),
  );
  const findings = await preflight({ file, env: {} });
  return Object.fromEntries(
    findings.filter(({ severity }) => severity !== 'ok').map(({ name, what }) => [name, what]),
  );
}

describe('before the first start', () => {
  it('all is well', async () => {
    expect(await judge()).toEqual({});
  });

  it('a key file of another length is told, as the server would refuse it', async () => {
    writeFileSync(join(directory.path, 'key'), Buffer.alloc(31));
    expect(await judge()).toEqual({ 'key-file': expect.stringContaining('has 31 bytes, not 32') });
  });

  it('a key file that others may read is told', async () => {
    chmodSync(join(directory.path, 'key'), 0o644);
    expect(await judge()).toEqual({ 'key-file': expect.stringContaining('can be read by others') });
  });

  it('a registry that is not there is told', async () => {
    await directory[Symbol.asyncDispose]();
    mkdirSync(directory.path);
    expect(Object.keys(await judge())).toEqual(['key-file', 'registry']);
  });

  it('a port in use is told', async () => {
    const server = createServer();
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
    const address = server.address();
    const port = typeof address === 'object' ? (address?.port ?? 0) : 0;
    expect(Object.keys(await judge(port))).toEqual(['port-operator']);
    await new Promise((done) => server.close(done));
  });
});
