import { connect as connectHttp2 } from 'node:http2';
import { connect } from 'node:net';

/** The status of the first answer; 0 where the connection ends without one. */
export function statusOf(port: number, text: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1');
    let received = '';
    const end = () => {
      socket.destroy();
      resolve(Number(/^HTTP\/1\.1 (\d+)/.exec(received)?.[1] ?? 0));
    };
    socket.setTimeout(10_000, () => reject(new Error(`no answer to ${text}`)));
    socket.on('data', (chunk: Buffer) => {
      received += chunk.toString('latin1');
      if (received.includes('\r\n')) end();
    });
    socket.on('error', end);
    socket.on('close', end);
    socket.write(text, 'latin1');
  });
}

/** A request as it is written, word for word. */
export interface WrittenRequest {
  readonly method?: string;
  readonly target?: string;
  readonly host?: string;
  readonly headers?: readonly string[];
  readonly body?: string;
}

/** By HTTP/1.1, as it is written. */
export function statusByHttp1(
  port: number,
  { method = 'GET', target = '/ok', host = 'orders', headers = [], body = '' }: WrittenRequest,
): Promise<number> {
  const lines = [`${method} ${target} HTTP/1.1`, `Host: ${host}`, ...headers];
  return statusOf(port, `${lines.join('\r\n')}\r\n\r\n${body}`);
}

/** By HTTP/2, without TLS; a connection or a request that is ended without an answer is 0. */
export function statusByHttp2(
  port: number,
  { method = 'GET', target = '/ok', host = 'orders', headers = [] }: WrittenRequest,
): Promise<number> {
  return new Promise((resolve, reject) => {
    const session = connectHttp2(`http://127.0.0.1:${port}`);
    const end = (status: number) => {
      session.destroy();
      resolve(status);
    };
    session.on('error', () => end(0));
    const fields = headers.map((line) => [
      line.slice(0, line.indexOf(':')),
      line.slice(line.indexOf(':') + 2),
    ]);
    const stream = session.request({
      ':method': method,
      ':path': target,
      ':authority': host,
      ...Object.fromEntries(fields),
    });
    stream.setTimeout(10_000, () => reject(new Error(`no answer to ${target}`)));
    stream.on('response', ({ ':status': status = 0 }) => end(status));
    stream.on('error', () => stream.destroy());
    stream.on('close', () => end(0));
    stream.end();
  });
}
