import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { exchange, freePort, hasPart, waitFor } from '../../parts/index.ts';
import { runCitadel } from '../../support/citadel.ts';
import { startApplication, startTestMesh, type TestMesh } from '../../support/mesh.ts';
import { callersOf, registryText } from '../../support/registry.ts';
import { svidOf, tlsCall } from './fixture.ts';

/** Any order, as the local operator. */
async function citadel({ server: { directory } }: TestMesh, ...args: readonly string[]) {
  const socket = join(directory, 'operator.sock');
  return runCitadel([...args, '--socket', socket], { directory, home: 'nobody' });
}

describe.skipIf(!hasPart('envoy'))('a certificate is revoked under real Envoys', () => {
  test('a thief with the certificate is refused, its owner comes back with another, others go on', async () => {
    await using application = await startApplication('orders');
    const [port, web] = [await freePort(), await freePort()];
    await using mesh = await startTestMesh({
      registry: {
        'a.yaml': registryText(
          [
            { name: 'orders', ports: [{ port, protocol: 'http', application: application.port }] },
            ...callersOf('orders', 80, { web }),
          ],
          [{ name: 'orders', ports: [{ port: 80, protocol: 'http', targetPort: port }] }],
        ),
      },
    });
    await mesh.startWorkload('orders', 'orders');
    await mesh.startWorkload('web', 'web');
    const call = async () => (await exchange(`http://127.0.0.1:${web}/`)).status;
    await waitFor(async () => (await call()) === 200);
    const [stolen, good] = [
      await svidOf(mesh.server, 'web', 'web-2'),
      await svidOf(mesh.server, 'web', 'web-3'),
    ];
    await waitFor(async () => (await tlsCall(port, stolen)) === 'accepted');
    expect(await tlsCall(port, good)).toBe('accepted');

    expect(await citadel(mesh, 'certificate', 'revoke', stolen.serial, '--reason', 'stolen')).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('spiffe://example.org/ns/shop/sa/web: 1 certificate'),
    });
    expect(await tlsCall(port, stolen)).toBe('accepted');
    expect(
      await citadel(mesh, 'certificate', 'revoke', stolen.serial, '--yes', '--reason', 'stolen'),
    ).toMatchObject({ code: 0, stdout: '1 certificate revoked.\n' });
    await waitFor(async () => (await tlsCall(port, stolen)) === 'refused');
    expect(await tlsCall(port, good)).toBe('accepted');
    expect(await call()).toBe(200);
  }, 120_000);
});
