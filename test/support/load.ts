import { Agent, request } from 'node:http';
import { connect as connectHttp2 } from 'node:http2';
import { connect, type Socket } from 'node:net';
import { text } from 'node:stream/consumers';

export interface Tally {
  readonly kind: string;
  requests: number;
  readonly failures: string[];
  /** How many of its own connections it had to open. */
  connections: number;
}

const deadline = 10_000;

/** Calls over and over until the signal; every failure is counted, nothing is tried twice. */
async function repeat(tally: Tally, stop: AbortSignal, once: () => Promise<void>): Promise<Tally> {
  while (!stop.aborted) {
    tally.requests += 1;
    try {
      await once();
    } catch (error) {
      tally.failures.push(error instanceof Error ? error.message : String(error));
      // A load that fails at once must not fill the log.
      if (tally.failures.length > 50) return tally;
    }
  }
  return tally;
}

const newTally = (kind: string): Tally => ({ kind, requests: 0, failures: [], connections: 0 });

/** HTTP/1.1, on connections that stay open or on a new one for each request. */
export function loadHttp(port: number, keepAlive: boolean, stop: AbortSignal): Promise<Tally> {
  const agent = new Agent({ keepAlive, maxSockets: 1 });
  const tally = newTally(keepAlive ? 'HTTP/1.1, kept connection' : 'HTTP/1.1, new connections');
  return repeat(tally, stop, async () => {
    const { status, body } = await new Promise<{ status: number; body: string }>((resolve, reject) => {
      const sent = request(
        { host: '127.0.0.1', port, path: '/x', agent, signal: AbortSignal.timeout(deadline) },
        (response) => {
          if (!sent.reusedSocket) tally.connections += 1;
          text(response).then(
            (content) => resolve({ status: response.statusCode ?? 0, body: content }),
            reject,
          );
        },
      );
      sent.once('error', reject);
      sent.end();
    });
    if (status !== 200) throw new Error(`${status} ${body}`);
  }).finally(() => agent.destroy());
}

/** HTTP/2 on one session. */
export async function loadHttp2(port: number, stop: AbortSignal): Promise<Tally> {
  const tally = newTally('HTTP/2, one session');
  const session = connectHttp2(`http://127.0.0.1:${port}`);
  tally.connections = 1;
  session.on('error', () => undefined);
  try {
    return await repeat(tally, stop, async () => {
      const stream = session.request({ ':path': '/x' });
      stream.setTimeout(deadline, () => stream.close());
      const status = await new Promise<number>((resolve, reject) => {
        stream.once('response', (headers) => resolve(headers[':status'] ?? 0));
        stream.once('error', reject);
        stream.once('close', () => reject(new Error('the stream was closed')));
      });
      const body = await text(stream);
      if (status !== 200 || body !== 'http2 /x') throw new Error(`${status} ${body}`);
    });
  } finally {
    session.close();
  }
}

/** Bytes on one long connection; with `upgrade` it becomes a WebSocket first. */
export async function loadEcho(port: number, upgrade: boolean, stop: AbortSignal): Promise<Tally> {
  const tally = newTally(upgrade ? 'WebSocket, one connection' : 'TCP, one connection');
  const socket = connect({ host: '127.0.0.1', port, noDelay: true });
  tally.connections = 1;
  socket.on('error', () => undefined);
  try {
    if (upgrade) {
      const key = Buffer.from('citadel-demo-key').toString('base64');
      const head = await exchange(
        socket,
        `GET /ws HTTP/1.1\r\nhost: orders\r\nupgrade: websocket\r\nconnection: upgrade\r\nsec-websocket-version: 13\r\nsec-websocket-key: ${key}\r\n\r\n`,
        (received) => received.includes('\r\n\r\n'),
      );
      if (!head.startsWith('HTTP/1.1 101')) throw new Error(`no WebSocket: ${head.split('\r\n')[0] ?? ''}`);
    }
    return await repeat(tally, stop, async () => {
      const sent = `message ${tally.requests}\n`;
      const received = await exchange(socket, sent, (so) => so.length >= sent.length);
      if (received !== sent) throw new Error(`sent ${sent.trim()}, received ${received.trim()}`);
    });
  } finally {
    socket.destroy();
  }
}

function exchange(socket: Socket, sent: string, done: (received: string) => boolean): Promise<string> {
  return new Promise((resolve, reject) => {
    let received = '';
    const end = (finish: () => void) => {
      clearTimeout(timer);
      socket.off('data', onData);
      socket.off('close', onClose);
      finish();
    };
    const onData = (chunk: Buffer) => {
      received += chunk.toString('latin1');
      if (done(received)) end(() => resolve(received));
    };
    const onClose = () => end(() => reject(new Error('the connection was closed')));
    const timer = setTimeout(() => end(() => reject(new Error('no answer came'))), deadline);
    socket.on('data', onData);
    socket.on('close', onClose);
    if (socket.destroyed) onClose();
    else socket.write(sent);
  });
}
