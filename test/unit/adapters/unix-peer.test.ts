import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { describe, expect, it } from 'vitest';
import { peerCredentials } from '../../../src/adapters/unix-peer/index.ts';
import { temporaryDirectory } from '../../parts/index.ts';

async function accepted(listen: object, use: (socket: Socket) => void): Promise<void> {
  const server = createServer();
  server.listen(listen);
  await once(server, 'listening');
  const address = server.address();
  const client = typeof address === 'string' ? connect(address) : connect(address?.port ?? 0, '127.0.0.1');
  try {
    const [socket]: Socket[] = await once(server, 'connection');
    if (!socket) throw new Error('no connection');
    try {
      use(socket);
    } finally {
      socket.destroy();
    }
  } finally {
    client.destroy();
    server.close();
  }
}

describe('peerCredentials', () => {
  it('names the process at the other end', async () => {
    await using directory = await temporaryDirectory();
    await accepted({ path: directory.join('peer.sock') }, (socket) => {
      expect(peerCredentials(socket)).toEqual({
        pid: process.pid,
        uid: process.getuid?.(),
        gid: process.getgid?.(),
      });
      socket.destroy();
      expect(() => peerCredentials(socket)).toThrow(/gone/);
    });
  });

  it('does not take a TCP connection for a local one', async () => {
    await accepted({ host: '127.0.0.1', port: 0 }, (socket) => {
      expect(() => peerCredentials(socket)).toThrow();
    });
  });
});
