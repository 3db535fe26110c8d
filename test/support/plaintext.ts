import { request } from 'node:http';

/** A call without mutual TLS from an address of loopback, on a connection of its own: its status, or 0 when it is refused. */
export function callInPlaintext(port: number, from: string): Promise<number> {
  return new Promise((resolve) => {
    const sent = request(
      { host: '127.0.0.1', port, localAddress: from, agent: false, signal: AbortSignal.timeout(10_000) },
      (response) => {
        response.resume();
        response.once('end', () => resolve(response.statusCode ?? 0));
        response.once('error', () => resolve(0));
      },
    );
    sent.once('error', () => resolve(0));
    sent.end();
  });
}
