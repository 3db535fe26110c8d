import { connect, createServer, type Socket } from 'node:net';
import { Transform } from 'node:stream';
import { setTimeout } from 'node:timers';

export interface Relay extends AsyncDisposable {
  readonly port: number;
  /** Ends all connections at once, and takes none until `mend`. */
  cut(): void;
  mend(): void;
  /** From now on, what comes from the port is held back for so many milliseconds. */
  slow(milliseconds: number): void;
}

/**
 * A way to a port of loopback that can be cut.
 * @param from the address that the port sees as its client's
 */
export async function startRelay(to: number, from = '127.0.0.1'): Promise<Relay> {
  const open = new Set<Socket>();
  let whole = true;
  let delay = 0;
  const server = createServer((near) => {
    if (!whole) return void near.destroy();
    const far = connect({ port: to, host: '127.0.0.1', localAddress: from });
    near.pipe(far);
    far.pipe(heldBack(() => delay)).pipe(near);
    for (const [one, other] of [
      [near, far],
      [far, near],
    ] as const) {
      open.add(one);
      one.on('error', () => undefined);
      one.once('close', () => {
        open.delete(one);
        other.destroy();
      });
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the relay has no port');
  const cut = () => {
    whole = false;
    for (const socket of open) socket.destroy();
  };
  return {
    port: address.port,
    cut,
    mend: () => {
      whole = true;
    },
    slow: (milliseconds) => {
      delay = milliseconds;
    },
    [Symbol.asyncDispose]: () =>
      new Promise<void>((resolve) => {
        cut();
        server.close(() => resolve());
      }),
  };
}

function heldBack(delay: () => number): Transform {
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      const milliseconds = delay();
      if (milliseconds === 0) done(null, chunk);
      else setTimeout(() => done(null, chunk), milliseconds);
    },
  });
}
