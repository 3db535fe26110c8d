import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { freePort } from '../../test/parts/index.ts';
import { createApplication } from '../../test/support/http-application.ts';
import { call } from './call.ts';
import { tlsCounters } from './envoy-counters.ts';
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
  const application = createApplication((_request, response) => response.end('ok'));
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
  await Promise.all([...Array(4)].map(() => load({ fresh, kept }, tally)));
  const { handshakes, resumed } = await tlsCounters(join(world.directory, 'orders', 'envoy', 'admin.sock'));
  const rotations = tally.serials.length - 1;
  console.log(`new full handshakes: ${tally.handshakes} of ${tally.requests} requests`);
  console.log(`the callee's Envoy counted ${handshakes} handshakes, ${resumed} of them resumed`);
  console.log(`serials seen: ${tally.serials.join(' ')}`);
  for (const failure of tally.failures.slice(0, 10)) console.log(`failure: ${failure}`);
  console.log(`requests ${tally.requests}, failures ${tally.failures.length}, rotations ${rotations}`);
  const enough = tally.handshakes * 2 >= tally.requests && handshakes - resumed >= tally.handshakes;
  if (tally.failures.length > 0 || rotations < wanted || !enough || resumed > 0) process.exitCode = 1;
}

/** Each request on a connection of its own is followed by one on a connection that stays: half and half. */
async function load(ports: { readonly fresh: number; readonly kept: number }, tally: Tally): Promise<void> {
  while (tally.serials.length - 1 < wanted && Date.now() < giveUp) {
    const serial = await counted(ports.fresh, tally);
    tally.handshakes += 1;
    if (serial !== '' && !tally.serials.includes(serial)) tally.serials.push(serial);
    await counted(ports.kept, tally);
  }
}

/** One call. @returns the serial of the caller's certificate as the callee saw it; empty when the call failed */
async function counted(port: number, tally: Tally): Promise<string> {
  tally.requests += 1;
  try {
    const { status, body, headers } = await call(port, '/');
    if (status === 200) return headers['x-client-serial'] ?? '';
    tally.failures.push(`${status} ${body}`);
  } catch (error) {
    tally.failures.push(error instanceof Error ? error.message : String(error));
  }
  return '';
}

main().catch((error: unknown) => {
  process.stderr.write(
    `demo-rotation-under-load: ${error instanceof Error ? error.message : String(error)}\n`,
  );
  process.exitCode = 1;
});
