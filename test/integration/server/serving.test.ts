import { createHash } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { expect, it } from 'vitest';
import { createAgent } from '../../../src/agent/index.ts';
import { temporaryDirectory } from '../../parts/index.ts';
import { startTestServer, trustDomain } from '../../support/server.ts';

it('gives an agent that knows only the pin of the root its certificate', async () => {
  await using server = await startTestServer();
  await using directory = await temporaryDirectory();
  const tokenFile = directory.join('token');
  await writeFile(tokenFile, (await server.token()).reveal(), { mode: 0o600 });
  const [root = new Uint8Array()] = server.app.authority.bundle().authorities;
  const agent = createAgent({
    server: { address: `127.0.0.1:${server.app.csr.port}`, serverName: 'localhost' },
    trust: { kind: 'pin', sha256: createHash('sha256').update(root).digest('hex') },
    token: { file: tokenFile },
    socket: { path: directory.join('agent.sock') },
  });
  const stop = new AbortController();
  const running = agent.run(stop.signal);
  try {
    await new Promise<void>((resolve) => {
      agent.onChange(() => {
        if (agent.snapshot().identity) resolve();
      });
    });
    expect(agent.snapshot().identity?.id.toString()).toBe(`spiffe://${trustDomain}/ns/shop/sa/web`);
  } finally {
    stop.abort();
    await running;
  }
});
