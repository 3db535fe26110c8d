import type { IncomingMessage } from 'node:http';
import { connect, type Socket } from 'node:net';
import { CitadelError } from '../../kernel/index.ts';

// Not by import: that reads every export of node:http, and so loads its WebSocket, some 5 MiB.
const { request } = process.getBuiltinModule('node:http');

export interface AdminReply {
  readonly status: number;
  readonly body: string;
}

const largestReply = 8 * 1024 * 1024;

/** One call of Envoy's admin interface on its Unix socket. @param onConnect sees the socket before anything is sent */
export async function callAdmin(
  socketPath: string,
  method: 'GET' | 'POST',
  path: string,
  deadline: number,
  onConnect?: (socket: Socket) => void,
): Promise<AdminReply> {
  const signal = AbortSignal.timeout(deadline);
  const socket = connect(socketPath);
  try {
    await connected(socket, signal);
    onConnect?.(socket);
    const reply = await new Promise<IncomingMessage>((resolve, reject) => {
      const headers = { connection: 'close', 'content-length': '0' };
      const call = request({
        createConnection: () => socket,
        host: 'localhost',
        method,
        path,
        headers,
        signal,
      });
      call.once('response', resolve);
      call.once('error', reject);
      call.end();
    });
    const chunks: Buffer[] = [];
    let size = 0;
    for await (const chunk of reply as AsyncIterable<Buffer>) {
      size += chunk.length;
      if (size > largestReply) throw new Error('its answer is larger than 8 MiB');
      chunks.push(chunk);
    }
    return { status: reply.statusCode ?? 0, body: Buffer.concat(chunks).toString('utf8') };
  } catch (cause) {
    throw new CitadelError('Unavailable', "Envoy's admin does not answer", {
      details: `${method} ${path}`,
      cause,
    });
  } finally {
    socket.destroy();
  }
}

function connected(socket: Socket, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    socket.once('connect', resolve);
    socket.on('error', reject);
    signal.addEventListener('abort', () => reject(new Error('it did not answer in time')), { once: true });
  });
}
