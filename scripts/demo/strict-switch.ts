import { parseArgs } from 'node:util';
import { freePort } from '../../test/parts/index.ts';
import { startApplication } from '../../test/support/echo-application.ts';
import { loadEcho, loadHttp, loadHttp2, type Tally } from '../../test/support/load.ts';
import { developmentPlatform } from './platform.ts';
import { byOrder, byPolicy } from './strict/switches.ts';
import { startWorld } from './world.ts';

const { values } = parseArgs({
  options: {
    cycles: { type: 'string', default: '5' },
    seconds: { type: 'string', default: '4' },
    by: { type: 'string', default: 'order' },
  },
});
const cycles = Number(values.cycles);
/** In each mode. */
const seconds = Number(values.seconds);
if (
  !(
    cycles >= 1 &&
    cycles <= 1000 &&
    seconds >= 1 &&
    seconds <= 600 &&
    ['order', 'policy'].includes(values.by)
  )
) {
  console.error('usage: demo-strict-switch [--cycles 5] [--seconds 4] [--by order|policy]');
  process.exit(2);
}

async function main(): Promise<void> {
  await using stack = new AsyncDisposableStack();
  const application = stack.use(await startApplication());
  const world = stack.use(await startWorld({ platform: developmentPlatform(), ttl: '24h' }));
  const names = ['http', 'http2', 'tcp'] as const;
  const inbound = { http: await freePort(), http2: await freePort(), tcp: await freePort() };
  const egress = { http: await freePort(), http2: await freePort(), tcp: await freePort() };
  const list = (line: (name: (typeof names)[number]) => string) => names.map(line).join('\n');
  await world.writeRegistry(
    'shop.yaml',
    `apiVersion: citadel.dev/v1
kind: Workload
metadata: {namespace: shop, name: orders, labels: {app: orders}}
spec:
  serviceAccount: orders
  addresses: [127.0.0.1]
  ports:
${list((name) => `  - {port: ${inbound[name]}, protocol: ${name}, application: "127.0.0.1:${application[name]}"}`)}
---
apiVersion: citadel.dev/v1
kind: Workload
metadata: {namespace: shop, name: web}
spec:
  serviceAccount: web
  addresses: [127.0.0.1]
  egress:
${list((name) => `  - {listen: "127.0.0.1:${egress[name]}", service: shop/orders, port: ${inbound[name]}}`)}
---
apiVersion: citadel.dev/v1
kind: Service
metadata: {namespace: shop, name: orders}
spec:
  ports:
${list((name) => `  - {port: ${inbound[name]}, protocol: ${name}}`)}
  selector: {app: orders}
`,
  );
  // One after the other, so that the caller is stopped first: a callee waits for its connections to end.
  await world.startFollower('orders', 'orders', Object.values(inbound));
  await world.startFollower('web', 'web', Object.values(egress));

  const stop = new AbortController();
  const loads = Promise.all([
    loadHttp(egress.http, true, stop.signal),
    loadHttp(egress.http, false, stop.signal),
    loadHttp2(egress.http2, stop.signal),
    loadEcho(egress.tcp, false, stop.signal),
    loadEcho(egress.http, true, stop.signal),
  ]);
  const switches =
    values.by === 'policy' ? byPolicy(world, inbound.http) : byOrder(world, inbound.http, seconds);
  for (let cycle = 0; cycle < cycles; cycle++) {
    await switches.strict(cycle);
    await pause(loads);
    await switches.permissive();
    await pause(loads);
  }
  stop.abort();
  report(await loads, 2 * cycles);
}

/** Some load in this mode; ends early when a load has given up. */
async function pause(loads: Promise<unknown>): Promise<void> {
  await Promise.race([loads, new Promise((resolve) => setTimeout(resolve, seconds * 1000))]);
}

function report(tallies: readonly Tally[], switches: number): void {
  for (const { kind, requests, connections, failures } of tallies) {
    console.log(`${kind}: ${requests} requests on ${connections} connections, ${failures.length} failures`);
    for (const failure of failures.slice(0, 5)) console.log(`  ${failure}`);
  }
  const sum = (of: (tally: Tally) => number) => tallies.reduce((total, tally) => total + of(tally), 0);
  const failures = sum((tally) => tally.failures.length);
  console.log(`mode switches: ${switches}`);
  console.log(`requests ${sum((tally) => tally.requests)}, failures ${failures}`);
  if (failures > 0 || tallies.some(({ requests }) => requests < 10)) process.exitCode = 1;
}

main().catch((error: unknown) => {
  process.stderr.write(`demo-strict-switch: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
});
