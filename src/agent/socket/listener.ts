import { once } from 'node:events';
import { chmod, lstat, rename, rm, unlink } from 'node:fs/promises';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { CitadelError, describeError, type Log, systemErrorCode } from '../../kernel/index.ts';
import type { PeerCredentials, PeerReader } from './peer.ts';

export interface UnixListenerOptions {
  readonly path: string;
  readonly mode: number;
  readonly allowedUids: readonly number[];
  readonly maxConnections: number;
}

export interface AcceptedConnection {
  readonly socket: Socket;
  readonly peer: PeerCredentials;
}

export interface UnixListener {
  close(): Promise<void>;
}

/** sun_path has 108 bytes, a final NUL among them (unix(7)); the socket is made under a name that is 4 longer. */
const longestPath = 103;

/**
 * Listens on a Unix socket and passes on the connections of allowed users; others are closed before a byte is read.
 * The socket appears under its name only when its mode is set.
 */
export async function listenUnix(
  options: UnixListenerOptions,
  readPeer: PeerReader,
  log: Log,
  accept: (connection: AcceptedConnection) => void,
): Promise<UnixListener> {
  const { path } = options;
  if (Buffer.byteLength(path) > longestPath) {
    throw new CitadelError('InvalidArgument', `a socket path may have ${longestPath} bytes at most`, {
      details: path,
    });
  }
  await removeStale(path);
  const allowed = new Set(options.allowedUids);
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    socket.on('error', (error) => log.debug('a local connection failed', { reason: error.message }));
    let peer: PeerCredentials;
    try {
      peer = readPeer(socket);
    } catch (error) {
      log.warn('a local connection was refused', { reason: describeError(error) });
      socket.destroy();
      return;
    }
    if (!allowed.has(peer.uid)) {
      log.warn('a local connection was refused: its user is not allowed', { uid: peer.uid, pid: peer.pid });
      socket.destroy();
      return;
    }
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
    accept({ socket, peer });
  });
  server.maxConnections = options.maxConnections;
  server.on('drop', () =>
    log.warn('a local connection was refused: there are too many', { limit: options.maxConnections }),
  );
  await bind(server, path, options.mode);
  const inode = (await lstat(path)).ino;
  return {
    async close() {
      const closed = once(server, 'close');
      server.close();
      for (const socket of sockets) socket.destroy();
      await closed;
      // Another agent may have put its own socket here meanwhile.
      if ((await lstat(path).catch(() => undefined))?.ino === inode)
        await unlink(path).catch(() => undefined);
    },
  };
}

async function bind(server: Server, path: string, mode: number): Promise<void> {
  const hidden = `${path}.new`;
  await rm(hidden, { force: true });
  const umask = process.umask(0o177);
  try {
    server.listen(hidden);
    await once(server, 'listening');
  } catch (cause) {
    throw new CitadelError('FailedPrecondition', 'the socket cannot be made', { details: path, cause });
  } finally {
    process.umask(umask);
  }
  await chmod(hidden, mode);
  await rename(hidden, path);
}

/** Removes a socket that nobody listens on. @throws CitadelError when something else is there, or a live agent */
async function removeStale(path: string): Promise<void> {
  const found = await lstat(path).catch(() => undefined);
  if (found === undefined) return;
  if (!found.isSocket()) {
    throw new CitadelError('FailedPrecondition', 'the socket path is taken by something that is no socket', {
      details: path,
    });
  }
  if (await answers(path)) {
    throw new CitadelError('FailedPrecondition', 'another process listens on the socket path', {
      details: path,
    });
  }
  await unlink(path);
}

async function answers(path: string): Promise<boolean> {
  const socket = connect(path);
  try {
    await once(socket, 'connect', { signal: AbortSignal.timeout(1_000) });
    return true;
  } catch (error) {
    // A full backlog, or a peer too slow to answer, is alive too.
    return systemErrorCode(error) !== 'ECONNREFUSED';
  } finally {
    socket.destroy();
  }
}
