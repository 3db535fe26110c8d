import { createServer, type Socket } from 'node:net';
import { connect, type TLSSocket } from 'node:tls';
import { parentPort, workerData } from 'node:worker_threads';
import { calledPath } from './policies.ts';

/** What the worker is told. */
export type LoadCommand =
  | { readonly kind: 'connect'; readonly target: LoadTarget }
  | { readonly kind: 'measure'; readonly warmUp: number; readonly milliseconds: number };

export interface LoadTarget {
  readonly port: number;
  readonly connections: number;
  readonly certificateChainPem: string;
  readonly privateKeyPem: string;
  readonly rootsPem: string;
}

/** What it answers: first the port of its application, then of each measurement this. */
export interface LoadResult {
  readonly requests: number;
  /** Milliseconds in which these were answered. */
  readonly elapsed: number;
  /** Milliseconds of each, in no order. */
  readonly latencies: Float64Array;
  readonly failures: readonly string[];
}

const asked = Buffer.from(`GET ${calledPath} HTTP/1.1\r\nhost: orders.example\r\n\r\n`);
const answer = Buffer.from('HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok');

/** The application behind the proxy: as little as can be, so that the proxy is what is measured. */
function startApplication(): Promise<number> {
  const server = createServer((socket: Socket) => {
    socket.on('error', () => socket.destroy());
    // A request is small and comes whole: the proxy writes it at once.
    socket.on('data', (chunk: Buffer) => {
      for (let at = chunk.indexOf('\r\n\r\n'); at >= 0; at = chunk.indexOf('\r\n\r\n', at + 4))
        socket.write(answer);
    });
  });
  return new Promise((resolve) => {
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      resolve(typeof address === 'object' && address ? address.port : 0);
    });
  });
}

let counting = false;
let latencies: number[] = [];
let failures: string[] = [];

/** One request after the other, each when the one before it is answered. */
function call(socket: TLSSocket): void {
  let begin = performance.now();
  let received = '';
  const next = () => {
    received = '';
    begin = performance.now();
    socket.write(asked);
  };
  socket.on('data', (chunk: Buffer) => {
    received += chunk.toString('latin1');
    const head = received.indexOf('\r\n\r\n');
    if (head < 0 || received.length < head + 6) return;
    if (!received.startsWith('HTTP/1.1 200')) failures.push(received.slice(0, 100));
    if (counting) latencies.push(performance.now() - begin);
    next();
  });
  socket.on('error', (error) => failures.push(error.message));
  socket.on('close', () => failures.push('a connection was closed'));
  next();
}

async function open(target: LoadTarget): Promise<void> {
  for (let index = 0; index < target.connections; index += 1) {
    const socket = connect({
      host: '127.0.0.1',
      port: target.port,
      cert: target.certificateChainPem,
      key: target.privateKeyPem,
      ca: target.rootsPem,
      // A SPIFFE ID is no name of a host.
      checkServerIdentity: () => undefined,
      servername: 'orders.example',
      ALPNProtocols: ['istio', 'http/1.1'],
    });
    await new Promise<void>((resolve, reject) => {
      socket.once('secureConnect', () => resolve());
      socket.once('error', reject);
    });
    socket.setNoDelay();
    call(socket);
  }
}

async function measure(warmUp: number, milliseconds: number): Promise<LoadResult> {
  await new Promise((resolve) => setTimeout(resolve, warmUp));
  latencies = [];
  failures = [];
  counting = true;
  const begin = performance.now();
  await new Promise((resolve) => setTimeout(resolve, milliseconds));
  counting = false;
  const elapsed = performance.now() - begin;
  return { requests: latencies.length, elapsed, latencies: Float64Array.from(latencies), failures };
}

if (parentPort && workerData === 'load') {
  const port = parentPort;
  port.on('message', (command: LoadCommand) => {
    const done =
      command.kind === 'connect' ? open(command.target) : measure(command.warmUp, command.milliseconds);
    done.then(
      (result) => port.postMessage(result),
      (error: unknown) => {
        throw error;
      },
    );
  });
  port.postMessage(await startApplication());
}
