import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { runAgent } from '../../../src/app/agent.ts';
import { loadAgentConfig } from '../../../src/app/config/index.ts';
import { freePort, temporaryDirectory, waitFor } from '../../parts/index.ts';
import { startTestServer, trustDomain } from '../../support/server.ts';

describe('an agent that is monitored', () => {
  it('is ready once it has a certificate, and counts down to its end', async () => {
    await using server = await startTestServer();
    await using temporary = await temporaryDirectory();
    const directory = temporary.path;
    const [metricsPort, token] = [await freePort(), join(directory, 'token')];
    await writeFile(join(directory, 'roots.pem'), server.app.authority.bundle().pem);
    const config = join(directory, 'agent.json');
    await writeFile(
      config,
      JSON.stringify({
        trustDomain,
        server: {
          address: `127.0.0.1:${server.app.csr.port}`,
          name: 'istiod.istio-system.svc',
          trust: { bundleFile: join(directory, 'roots.pem') },
          timeout: '2s',
        },
        token: { file: token },
        certificate: { ttl: '10m' },
        socket: { path: join(directory, 'agent.sock') },
        metrics: `127.0.0.1:${metricsPort}`,
        log: { level: 'error' },
      }),
    );
    const get = (path: string) => fetch(`http://127.0.0.1:${metricsPort}${path}`);
    const run = async (during: () => Promise<void>) => {
      const stop = new AbortController();
      const running = runAgent(loadAgentConfig({ file: config, env: {} }), { exec: [], signal: stop.signal });
      try {
        await waitFor(async () => (await get('/livez')).status === 200, { what: 'the agent to answer' });
        await during();
      } finally {
        stop.abort();
      }
      expect(await running).toBe(0);
    };

    await writeFile(token, 'not a token');
    await run(async () => {
      const early = await get('/readyz');
      expect(early.status).toBe(503);
      expect(await (await get('/metrics')).text()).not.toMatch(/^citadel_agent_certificate_expiry_seconds/m);
    });

    await writeFile(token, (await server.token()).reveal());
    await run(async () => {
      await waitFor(async () => (await get('/readyz')).status === 200, { what: 'the agent to be ready' });
      const [, left] =
        /^citadel_agent_certificate_expiry_seconds\{kind="x509-svid"\} ([\d.]+)$/m.exec(
          await (await get('/metrics')).text(),
        ) ?? [];
      expect(Number(left)).toBeGreaterThan(500);
      expect(Number(left)).toBeLessThanOrEqual(600);
    });
  });
});
