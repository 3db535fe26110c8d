import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { freePort, waitFor } from '../../../test/parts/index.ts';
import { startApplication } from '../../../test/support/echo-application.ts';
import { type Relay, startRelay } from '../../../test/support/relay.ts';
import { call } from '../call.ts';
import { envoyCounters, sumOf, tlsCounters } from '../envoy-counters.ts';
import { namespace, trustDomain, type World } from '../world.ts';

export interface Tally {
  requests: number;
  readonly failures: string[];
}

/** What the Envoys counted; nothing of it is ours. */
export interface Counted {
  /** By those that are called. */
  readonly handshakes: number;
  readonly resumed: number;
  /** By those that call. */
  readonly retries: number;
}

export interface Shop {
  /** Of the one that can be cut off. */
  readonly straggler: string;
  /** Between that one's agent and the server. */
  readonly way: Relay;
  /** Waits until that one has a new certificate: it can be away for half of its life without harm from then on. */
  renewal(): Promise<void>;
  /** Calls until the signal; nothing is tried twice. */
  load(tally: Tally, stop: AbortSignal): Promise<void>;
  counted(): Promise<Counted>;
}

const called = ['orders', 'stock'];
const calling = ['web', 'billing', 'shop'];
export const proxies = called.length + calling.length;
/** Keeps two cores free enough for the rest. */
const pause = 5;

const spiffeIdOf = (name: string) => `spiffe://${trustDomain}/ns/${namespace}/sa/${name}`;

/**
 * Five workloads with a real Envoy each: `web` and `billing` call `orders`, by files of Envoy's configuration over the
 * agents' SDS; `shop` calls `stock`, both configured by the control plane.
 */
export async function startShop(world: World, stack: AsyncDisposableStack): Promise<Shop> {
  const application = stack.use(await startApplication());
  const way = stack.use(await startRelay(world.serverPort));
  const ports = {
    orders: await freePort(),
    fresh: await freePort(),
    kept: await freePort(),
    billing: await freePort(),
    stock: await freePort(),
    shop: await freePort(),
  };
  const orders = { port: ports.orders, spiffeId: spiffeIdOf('orders') };
  await world.startWorkload(
    'orders',
    [{ name: 'inbound', port: ports.orders, cluster: 'application', trustDomain }],
    [{ name: 'application', port: application.http }],
  );
  await world.startWorkload(
    'web',
    [
      { name: 'new-connections', port: ports.fresh, cluster: 'orders-fresh' },
      { name: 'kept-connections', port: ports.kept, cluster: 'orders-kept' },
    ],
    [
      { name: 'orders-fresh', ...orders, requestsPerConnection: 1 },
      { name: 'orders-kept', ...orders, requestsPerConnection: 50 },
    ],
  );
  await world.startWorkload(
    'billing',
    [{ name: 'new-connections', port: ports.billing, cluster: 'orders-fresh' }],
    [{ name: 'orders-fresh', ...orders, requestsPerConnection: 1 }],
    { serverPort: way.port },
  );
  await world.writeRegistry('shop.yaml', registry(ports.stock, application.http, ports.shop));
  await world.startFollower('stock', 'stock', [ports.stock]);
  await world.startFollower('shop', 'shop', [ports.shop]);
  let serial: string | undefined;
  const admin = (name: string) => join(world.directory, name, 'envoy', 'admin.sock');

  return {
    straggler: spiffeIdOf('billing'),
    way,
    async renewal() {
      const before = await waitFor(() => serial);
      await waitFor(() => serial !== undefined && serial !== before, { deadline: 600_000 });
    },
    async load(tally, stop) {
      // Every second request is a full handshake, and those that keep connections make some more.
      const round = [ports.fresh, ports.kept, ports.billing, ports.shop];
      while (!stop.aborted)
        for (const port of round) {
          const seen = await counted(port, tally);
          if (port === ports.billing) serial = seen;
          await delay(pause);
        }
    },
    async counted() {
      const tls = await Promise.all(called.map((name) => tlsCounters(admin(name))));
      const retries = await Promise.all(
        calling.map(async (name) => sumOf(await envoyCounters(admin(name), 'upstream_rq_retry$'), 'retry')),
      );
      return {
        handshakes: tls.reduce((sum, { handshakes }) => sum + handshakes, 0),
        resumed: tls.reduce((sum, { resumed }) => sum + resumed, 0),
        retries: retries.reduce((sum, each) => sum + each, 0),
      };
    },
  };
}

/** @returns the serial of the caller's certificate, where the callee tells it */
async function counted(port: number, tally: Tally): Promise<string | undefined> {
  tally.requests += 1;
  try {
    const { status, body, headers } = await call(port, '/x');
    if (status === 200) return headers['x-client-serial'];
    tally.failures.push(`${status} ${body}`);
  } catch (error) {
    tally.failures.push(error instanceof Error ? error.message : String(error));
  }
  return undefined;
}

const registry = (stock: number, application: number, shop: number) => `apiVersion: citadel.dev/v1
kind: Workload
metadata: {namespace: ${namespace}, name: stock, labels: {app: stock}}
spec:
  serviceAccount: stock
  addresses: [127.0.0.1]
  ports: [{port: ${stock}, application: "127.0.0.1:${application}"}]
---
apiVersion: citadel.dev/v1
kind: Workload
metadata: {namespace: ${namespace}, name: shop}
spec:
  serviceAccount: shop
  addresses: [127.0.0.1]
  egress: [{listen: "127.0.0.1:${shop}", service: ${namespace}/stock, port: 80}]
---
apiVersion: citadel.dev/v1
kind: Service
metadata: {namespace: ${namespace}, name: stock}
spec:
  ports: [{port: 80, targetPort: ${stock}}]
  selector: {app: stock}
`;
