import { connect, createServer, type Socket } from 'node:net';

export interface WireTap extends AsyncDisposable {
  readonly port: number;
  /** The first bytes that a caller sent since the last call, then forgotten. */
  take(): Buffer;
}

const kept = 4096;

/** Stands on the wire between two proxies and reads what passes, as anyone on the network could. */
export async function startWireTap(targetPort: number): Promise<WireTap> {
  let seen = Buffer.alloc(0);
  const sockets = new Set<Socket>();
  const server = createServer((caller) => {
    const callee = connect(targetPort, '127.0.0.1');
    for (const socket of [caller, callee]) {
      sockets.add(socket);
      socket.once('close', () => sockets.delete(socket));
      socket.on('error', () => {
        caller.destroy();
        callee.destroy();
      });
    }
    caller.on('data', (bytes) => {
      if (seen.length < kept) seen = Buffer.concat([seen, bytes]);
    });
    caller.pipe(callee).pipe(caller);
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', resolve);
  });
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the tap has no port');
  return {
    port: address.port,
    take() {
      const taken = seen;
      seen = Buffer.alloc(0);
      return taken;
    },
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}
