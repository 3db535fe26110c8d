import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { connect } from 'node:tls';
import { describe, expect, test } from 'vitest';
import { hasPart, waitFor } from '../../parts/index.ts';
import { runCitadel } from '../../support/citadel.ts';
import { startTestMesh } from '../../support/mesh.ts';
import { startRelay } from '../../support/relay.ts';

/** Whether who knows these roots would talk to the server. */
async function isTrusted(port: number, ca: string): Promise<boolean> {
  const socket = connect({ host: '127.0.0.1', port, ca, servername: 'localhost', ALPNProtocols: ['h2'] });
  return once(socket, 'secureConnect')
    .then(
      () => true,
      () => false,
    )
    .finally(() => socket.destroy());
}

describe.skipIf(!hasPart('envoy'))('a rotation and workloads that were not there for a while', () => {
  test('who is cut off is named and waited for; who comes back with the old bundle is let in by one file', async () => {
    await using mesh = await startTestMesh({
      registry: {},
      settings: { certificate: { defaultTtl: '20s', maximumTtl: '20s', notBeforeSkew: '1s' } },
    });
    const { app, directory } = mesh.server;
    const citadel = (...args: readonly string[]) =>
      runCitadel([...args, '--socket', join(directory, 'operator.sock')], { directory, home: 'nobody' });
    const phase = async () => (await app.rotation.status()).rotation?.phase;
    const standings = async () => {
      const { gate } = await app.rotation.status();
      return new Map(
        gate?.standings.map(({ proxy, standing }) => [proxy.spiffeId.split('/').at(-1), standing]),
      );
    };
    const oldBundle = app.authority.bundle().pem;
    await using relay = await startRelay(app.csr.port);
    await using _far = await mesh.startWorkload('far', 'far', { agentPort: relay.port, wait: false });
    await using _near = await mesh.startWorkload('near', 'near', { wait: false });
    await waitFor(async () => (await app.store.adoption.list()).length === 2);

    relay.cut();
    expect(await citadel('rotate', 'start', '--yes', '--reason', 'it is old')).toMatchObject({ code: 0 });
    await waitFor(async () => (await standings()).get('near') === 'inUse');
    const refused = await citadel('rotate', 'continue', '--yes');
    expect(refused.code).toBe(2);
    expect(refused.stderr).toMatch(/spiffe:\/\/example\.org\/ns\/shop\/sa\/far .*is away: last seen/);
    expect(refused.stderr).not.toContain('/sa/near');
    relay.mend();
    await waitFor(async () => (await standings()).get('far') === 'inUse', { deadline: 60_000 });
    expect(await citadel('rotate', 'continue', '--yes')).toMatchObject({ code: 0 });
    expect(await phase()).toBe('drain');

    // The server's own certificate comes under the new root, of which this one has not heard.
    await waitFor(async () => !(await isTrusted(app.csr.port, oldBundle)));
    await using _late = await mesh.startWorkload('late', 'late', { roots: oldBundle, wait: false });
    const known = async () =>
      (await app.store.adoption.list()).some(({ spiffeId }) => spiffeId.endsWith('/late'));
    await waitFor(async () => (await app.rotation.status()).gate?.open, { deadline: 60_000 });
    expect(await known()).toBe(false);
    const { stdout: bundle } = await citadel('bundle', 'show', '--format', 'pem');
    await writeFile(join(directory, 'workload-late', 'roots.pem'), bundle);
    await waitFor(known, { deadline: 60_000 });

    expect(await citadel('rotate', 'continue', '--yes')).toMatchObject({ code: 0 });
    await waitFor(async () => (await phase()) === 'done', { deadline: 60_000 });
  }, 240_000);
});
