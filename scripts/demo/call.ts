import { request } from 'node:http';

export interface CallResult {
  readonly status: number;
  readonly body: string;
  readonly headers: Readonly<Record<string, string | undefined>>;
}

/** One HTTP call on a connection of its own. @param deadline milliseconds */
export function call(port: number, path: string, deadline = 10_000): Promise<CallResult> {
  return new Promise((resolve, reject) => {
    const signal = AbortSignal.timeout(deadline);
    const sent = request(
      { host: '127.0.0.1', port, path, agent: false, signal, headers: { host: 'orders' } },
      (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.once('error', reject);
        response.once('end', () => {
          const headers = Object.fromEntries(
            Object.entries(response.headers).map(([name, value]) => [
              name,
              Array.isArray(value) ? value.join(', ') : value,
            ]),
          );
          resolve({
            status: response.statusCode ?? 0,
            body: Buffer.concat(chunks).toString('utf8'),
            headers,
          });
        });
      },
    );
    sent.once('error', reject);
    sent.end();
  });
}
