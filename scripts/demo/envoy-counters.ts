import { get } from 'node:http';
import { text } from 'node:stream/consumers';
import { z } from 'zod';

const shape = z.object({ stats: z.array(z.object({ name: z.string(), value: z.number() })) });

/** An Envoy's own counters, by name. @param filter a regular expression on their names */
export async function envoyCounters(
  adminSocket: string,
  filter: string,
): Promise<ReadonlyMap<string, number>> {
  const path = `/stats?format=json&type=Counters&filter=${encodeURIComponent(filter)}`;
  const { stats } = shape.parse(JSON.parse(await readSocket(adminSocket, path)));
  return new Map(stats.map(({ name, value }) => [name, value]));
}

/** What an Envoy says of its listeners' TLS: its own count, not ours. */
export async function tlsCounters(
  adminSocket: string,
): Promise<{ readonly handshakes: number; readonly resumed: number }> {
  const counted = await envoyCounters(adminSocket, '^listener\\..*ssl\\.(handshake|session_reused)$');
  return { handshakes: sumOf(counted, '.ssl.handshake'), resumed: sumOf(counted, '.ssl.session_reused') };
}

/** The sum of the counters whose names end so. */
export function sumOf(counted: ReadonlyMap<string, number>, end: string): number {
  return [...counted].reduce((sum, [name, value]) => (name.endsWith(end) ? sum + value : sum), 0);
}

function readSocket(socketPath: string, path: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const sent = get({ socketPath, path, agent: false, signal: AbortSignal.timeout(10_000) }, (response) => {
      text(response).then(resolve, reject);
    });
    sent.once('error', reject);
  });
}
