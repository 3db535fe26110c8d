import { once } from 'node:events';
import { createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { connect, type TLSSocket } from 'node:tls';
import { describe, expect, test } from 'vitest';
import { parseCertificate } from '../../../src/pki/index.ts';
import { freePort, hasPart, waitFor } from '../../parts/index.ts';
import { runCitadel } from '../../support/citadel.ts';
import { startTestMesh, type TestMesh } from '../../support/mesh.ts';
import { registryText } from '../../support/registry.ts';
import { newRequest } from '../../support/server.ts';

/** Sends back what it is sent, for as long as the other side wants. */
async function startEcho() {
  const open = new Set<Socket>();
  const server = createServer((socket) => {
    open.add(socket);
    socket.on('error', () => socket.destroy());
    socket.pipe(socket);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return {
    port: address.port,
    [Symbol.asyncDispose]: async () => {
      for (const socket of open) socket.destroy();
      server.close();
    },
  };
}

interface Holder {
  readonly serial: string;
  readonly cert: string;
  readonly key: string;
}

/** Whoever has the token of a workload, and no agent. */
async function holder({ server }: TestMesh, serviceAccount: string): Promise<Holder> {
  const { csr, privateKeyPem } = await newRequest();
  const token = await server.tokens.issue(
    { namespace: 'shop', serviceAccount, instance: serviceAccount },
    'istio-ca',
    600_000,
  );
  const { certChain } = await server.create({ csr }, { token: token.reveal() });
  const [leaf = '', ...above] = certChain;
  return {
    serial: parseCertificate(leaf).serialHex,
    cert: [leaf, ...above.slice(0, -1)].join(''),
    key: privateKeyPem,
  };
}

/** Talks to the proxy itself, by mutual TLS. @returns undefined where it is refused */
async function talk(
  { server }: TestMesh,
  port: number,
  { cert, key }: Holder,
): Promise<TLSSocket | undefined> {
  const ca = server.app.authority.bundle().pem;
  const socket = connect({
    host: '127.0.0.1',
    port,
    ca,
    cert,
    key,
    ALPNProtocols: ['istio'],
    checkServerIdentity: () => undefined,
  });
  try {
    await once(socket, 'secureConnect');
    socket.write('hello');
    const [reply]: unknown[] = await once(socket, 'data');
    expect(String(reply)).toBe('hello');
    return socket;
  } catch {
    socket.destroy();
    return undefined;
  }
}

const ended = (socket: TLSSocket | undefined) => socket?.destroyed === true || socket?.readableEnded === true;

describe.skipIf(!hasPart('envoy'))(
  'what is open when a certificate is taken back, under a real Envoy',
  () => {
    test('ends: after a taint once all have left the authority, after a revocation at once', async () => {
      await using echo = await startEcho();
      const port = await freePort();
      await using mesh = await startTestMesh({
        registry: {
          'a.yaml': registryText(
            [{ name: 'orders', ports: [{ port, protocol: 'tcp', application: echo.port }] }],
            [{ name: 'orders', ports: [{ port: 80, protocol: 'tcp', targetPort: port }] }],
          ),
        },
      });
      const { app, directory } = mesh.server;
      const citadel = (...args: readonly string[]) =>
        runCitadel([...args, '--yes', '--reason', 'test', '--socket', join(directory, 'operator.sock')], {
          directory,
          home: 'nobody',
        });
      await mesh.startWorkload('orders', 'orders');
      const thief = await holder(mesh, 'web');
      const open = await waitFor(() => talk(mesh, port, thief));

      // The thief's certificate is not his own to renew: who reports has left, he has not.
      expect(await citadel('authority', 'taint', app.authority.issuer().record.id)).toMatchObject({
        code: 0,
      });
      await waitFor(() => ended(open), { what: 'the connection to end after the taint' });
      const { items: drains } = await app.store.audit.find({ action: 'connections.drain', limit: 10 });
      expect(drains).toMatchObject([
        { reason: expect.stringContaining('no connected agent uses a certificate') },
      ]);

      // Tainted is not revoked: he comes back, until he is revoked.
      const again = await waitFor(() => talk(mesh, port, thief));
      const good = await holder(mesh, 'shipping');
      const other = await waitFor(() => talk(mesh, port, good));
      expect(await citadel('certificate', 'revoke', thief.serial)).toMatchObject({ code: 0 });
      await waitFor(() => ended(again), { what: 'the connection of the revoked one to end' });
      expect(await talk(mesh, port, thief)).toBeUndefined();
      // Everybody was drained, and everybody else is let in again.
      await waitFor(() => ended(other));
      const back = await talk(mesh, port, good);
      expect(back).toBeDefined();
      back?.destroy();
    }, 120_000);
  },
);
