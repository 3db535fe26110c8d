import { type ClientHttp2Session, connect } from 'node:http2';
import { setTimeout as delay } from 'node:timers/promises';
import { type Identity, streamHeaders } from './delta-stream.ts';
import { mebibytes } from './measure.ts';
import { registryFiles, type Shape, workloadsOf } from './registry.ts';
import { type BenchServer, startBenchServer } from './server-process.ts';

const atOnce = 32;
/** Milliseconds in which the server has seen the last stream; it ends one that asks for nothing only after 15 s. */
const settling = 500;

/** What a connection costs of which nothing is asked: TLS and HTTP/2 alone, and with a stream of gRPC on it. */
export async function measureFloor(shape: Shape): Promise<void> {
  console.log(`\n${shape.workloads} connections that ask for nothing`);
  for (const withStream of [false, true]) {
    await using server = await startBenchServer(registryFiles(shape));
    const [first, ...others] = await server.ask('issue', workloadsOf(shape));
    if (!first) throw new Error('there is no proxy');
    const sessions = await open(server, [first], withStream);
    const one = await server.ask('counters', { collect: true });
    sessions.push(...(await open(server, others, withStream)));
    const all = await server.ask('counters', { collect: true });
    const perThousand = (key: 'residentBytes' | 'heapBytes') =>
      mebibytes(((all[key] - one[key]) / others.length) * 1000);
    console.log(
      `  ${withStream ? 'with a stream' : 'TLS and HTTP/2'}: ${perThousand('residentBytes')} MiB per 1,000 more (JavaScript heap ${perThousand('heapBytes')})`,
    );
    for (const session of sessions) session.destroy();
  }
}

async function open(
  { port, rootsPem }: BenchServer,
  identities: readonly Identity[],
  withStream: boolean,
): Promise<ClientHttp2Session[]> {
  const rest = identities.values();
  const sessions: ClientHttp2Session[] = [];
  const work = async () => {
    for (const { chainPem, privateKeyPem } of rest) {
      const tls = { ca: rootsPem, cert: chainPem, key: privateKeyPem, servername: 'localhost' };
      const session = connect(`https://127.0.0.1:${port}`, tls);
      session.on('error', () => undefined);
      await new Promise((resolve) => session.once('connect', resolve));
      if (withStream) session.request(streamHeaders).on('error', () => undefined);
      sessions.push(session);
    }
  };
  await Promise.all(Array.from({ length: Math.min(atOnce, identities.length) }, work));
  await delay(settling);
  return sessions;
}
