import { status } from '@grpc/grpc-js';
import { describe, expect, it } from 'vitest';
import { parseCertificate } from '../../../src/pki/index.ts';
import { canMount, smallDisk, waitFor } from '../../parts/index.ts';
import { readyz } from '../../support/observe.ts';
import { newRequest, startTestServer } from '../../support/server.ts';

describe.runIf(canMount())('a server whose disk is full', () => {
  it('hands out nothing that it cannot record, says so, and goes on when there is room', async () => {
    await using disk = await smallDisk(8 * 1024 * 1024);
    await using server = await startTestServer(
      { limits: { callsPerSecondPerPeer: 10_000 } },
      { directory: disk.path },
    );
    const token = (await server.token()).reveal();
    const { csr } = await newRequest();
    const issue = () => server.create({ csr }, { token });
    disk.fill(128 * 1024);

    const issued: string[] = [];
    const failure = await waitFor(
      async () => {
        try {
          issued.push((await issue()).certChain[0] ?? '');
          return undefined;
        } catch (error) {
          return error;
        }
      },
      { interval: 0 },
    );
    expect(failure).toMatchObject({ code: status.RESOURCE_EXHAUSTED });
    expect(failure).toMatchObject({ details: expect.stringMatching(/disk|store|room|full/i) });
    for (const pem of issued) {
      expect(await server.app.store.issuance.get(parseCertificate(pem).serialHex)).toMatchObject({
        state: 'issued',
      });
    }
    const unready = await readyz(server);
    expect(unready.status).toBe(503);
    expect(unready.text).toMatch(/^\[-\]store failed: .*no room left/m);

    disk.free();
    const [leaf = ''] = (await issue()).certChain;
    expect(await server.app.store.issuance.get(parseCertificate(leaf).serialHex)).toBeDefined();
    await waitFor(async () => (await readyz(server)).status === 200);
  });
});
