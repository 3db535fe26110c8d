import { once } from 'node:events';
import { chmod, lstat, unlink } from 'node:fs/promises';
import { connect, createServer, type Socket } from 'node:net';
import { type ConnectionInjector, Server, ServerCredentials } from '@grpc/grpc-js';
import { CitadelError, describeError, type Log } from '../../../kernel/index.ts';
import type { GrpcService } from '../listener.ts';
import { shutDown } from '../listener.ts';

export interface OperatorSocketOptions {
  readonly path: string;
  /** Who is at the other end, by the kernel's word. */
  readonly peerUid: (socket: Socket) => number;
  /** Users who are let in; others are cut off before gRPC sees them. */
  readonly allowedUids: readonly number[];
  readonly service: (localUid: number) => GrpcService;
  /** Called for each connection that was cut off. */
  readonly onRefused: (uid: number) => Promise<void>;
  readonly messageBytes: number;
  readonly log: Log;
}

export interface OperatorSocket {
  close(graceMilliseconds: number): Promise<void>;
}

const maximumConnections = 64;

/**
 * Serves the operator API on a Unix socket of mode 0600. One gRPC server a user, so that a call can only be of the user
 * whose connection it came by.
 * @throws CitadelError FailedPrecondition when the path is taken or cannot be used
 */
export async function startOperatorSocket(options: OperatorSocketOptions): Promise<OperatorSocket> {
  const { path, log } = options;
  const servers = new Map<number, { readonly server: Server; readonly injector: ConnectionInjector }>();
  const serverFor = (uid: number) => {
    const known = servers.get(uid);
    if (known) return known;
    const server = new Server({
      'grpc.max_receive_message_length': options.messageBytes,
      'grpc.max_concurrent_streams': 16,
    });
    const { definition, implementation } = options.service(uid);
    server.addService(definition, implementation);
    const made = { server, injector: server.createConnectionInjector(ServerCredentials.createInsecure()) };
    servers.set(uid, made);
    return made;
  };
  const open = new Set<Socket>();
  const listener = createServer((socket) => {
    open.add(socket);
    socket.once('close', () => open.delete(socket));
    socket.on('error', (error) => log.debug('operator socket connection failed', { error }));
    let uid: number;
    try {
      uid = options.peerUid(socket);
    } catch (error) {
      log.warn('operator socket peer unknown, connection refused', { error });
      socket.destroy();
      return;
    }
    if (options.allowedUids.includes(uid)) {
      serverFor(uid).injector.injectConnection(socket);
      return;
    }
    socket.destroy();
    log.warn('operator socket refused a user', { uid });
    options.onRefused(uid).catch((error: unknown) => log.error('refusal not recorded', { error }));
  });
  listener.maxConnections = maximumConnections;
  await removeStale(path);
  try {
    listener.listen(path);
    await once(listener, 'listening');
    await chmod(path, 0o600);
  } catch (error) {
    listener.close();
    throw new CitadelError('FailedPrecondition', `cannot listen on ${path}: ${describeError(error)}`, {
      cause: error,
    });
  }
  return {
    async close(grace) {
      const closed = once(listener, 'close');
      listener.close();
      const cut = setTimeout(() => {
        for (const socket of open) socket.destroy();
      }, grace);
      await Promise.all([...servers.values()].map(({ server }) => shutDown(server, grace)));
      await closed;
      clearTimeout(cut);
    },
  };
}

/** A socket that nobody answers on is left over from a crash; anything else at the path is not ours to remove. */
async function removeStale(path: string): Promise<void> {
  const status = await lstat(path).catch(() => undefined);
  if (!status) return;
  if (!status.isSocket())
    throw new CitadelError('FailedPrecondition', `${path} exists and is not a socket; choose another path`);
  const probe = connect(path);
  try {
    await once(probe, 'connect');
  } catch {
    await unlink(path);
    return;
  } finally {
    probe.destroy();
  }
  throw new CitadelError('FailedPrecondition', `${path} is in use; another server runs there`);
}
