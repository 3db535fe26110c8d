import { createServer } from 'node:http';
import { parseArgs } from 'node:util';
import { freePort } from '../../test/parts/index.ts';
import { call } from './call.ts';
import { developmentPlatform } from './platform.ts';
import { startWorld, trustDomain } from './world.ts';

const { values } = parseArgs({
  options: {
    rotations: { type: 'string', default: '20' },
    ttl: { type: 'string', default: '12s' },
    minutes: { type: 'string', default: '10' },
  },
});
const wanted = Number(values.rotations);
const giveUp = Date.now() + Number(values.minutes) * 60_000;

interface Tally {
  requests: number;
  handshakes: number;
  failures: string[];
  /** Each serial of the caller's certificate that the callee saw, in order. */
  serials: string[];
}

async function main(): Promise<void> {
  await using stack = new AsyncDisposableStack();
  const application = createServer((_request, response) => response.end('ok'));
  await new Promise<void>((resolve) => application.listen(0, '127.0.0.1', resolve));
  stack.defer(() => {
    application.close();
    application.closeAllConnections();
  });
  const address = application.address();
  if (address === null || typeof address === 'string') throw new Error('the application has no port');

  const world = stack.use(await startWorld({ platform: developmentPlatform(), ttl: values.ttl }));
  const [inbound, fresh, kept] = await Promise.all([freePort(), freePort(), freePort()]);
  const spiffeId = `spiffe://${trustDomain}/ns/shop/sa/orders`;
  await Promise.all([
    world.startWorkload(
      'orders',
      [{ name: 'inbound', port: inbound, cluster: 'application', trustDomain }],
      [{ name: 'application', port: address.port }],
    ),
    world.startWorkload(
      'web',
      [
        { name: 'new-connections', port: fresh, cluster: 'orders-fresh' },
        { name: 'kept-connections', port: kept, cluster: 'orders-kept' },
      ],
      [
        { name: 'orders-fresh', port: inbound, spiffeId, requestsPerConnection: 1 },
        { name: 'orders-kept', port: inbound, spiffeId, requestsPerConnection: 50 },
      ],
    ),
  ]);
  const tally: Tally = { requests: 0, handshakes: 0, failures: [], serials: [] };
  await Promise.all(
    [...Array(4)].map((_, worker) => load(worker % 2 === 0 ? fresh : kept, worker % 2 === 0, tally)),
  );
  const rotations = tally.serials.length - 1;
  console.log(`new full handshakes: ${tally.handshakes} of ${tally.requests} requests`);
  console.log(`serials seen: ${tally.serials.join(' ')}`);
  for (const failure of tally.failures.slice(0, 10)) console.log(`failure: ${failure}`);
  console.log(`requests ${tally.requests}, failures ${tally.failures.length}, rotations ${rotations}`);
  if (tally.failures.length > 0 || rotations < wanted || tally.handshakes * 2 < tally.requests)
    process.exitCode = 1;
}

async function load(port: number, handshake: boolean, tally: Tally): Promise<void> {
  while (tally.serials.length - 1 < wanted && Date.now() < giveUp) {
    // Kept connections never get ahead, so that at least half of all requests are new handshakes.
    if (!handshake && tally.handshakes < tally.requests - tally.handshakes) {
      await new Promise<void>((resolve) => setImmediate(resolve));
      continue;
    }
    tally.requests += 1;
    if (handshake) tally.handshakes += 1;
    try {
      const { status, body, headers } = await call(port, '/');
      const serial = headers['x-client-serial'] ?? '';
      if (status !== 200) tally.failures.push(`${status} ${body}`);
      else if (handshake && serial !== '' && !tally.serials.includes(serial)) tally.serials.push(serial);
    } catch (error) {
      tally.failures.push(error instanceof Error ? error.message : String(error));
    }
  }
}

main().catch((error: unknown) => {
  process.stderr.write(
    `demo-rotation-under-load: ${error instanceof Error ? error.message : String(error)}\n`,
  );
  process.exitCode = 1;
});
