import { parseArgs } from 'node:util';
import { freePort, waitFor } from '../../../test/parts/index.ts';
import { issueTo } from '../../../test/support/issue-to.ts';
import { type MeshWorkload, startTestMesh } from '../../../test/support/mesh.ts';
import { registryText } from '../../../test/support/registry.ts';
import { Load } from './load-client.ts';
import { type Measured, measure } from './measure.ts';
import { Operator } from './operator.ts';
import { caller, policiesOf } from './policies.ts';
import { processOf } from './processor-time.ts';
import { print } from './report.ts';

const { values } = parseArgs({
  options: {
    rules: { type: 'string', default: '10,100,1000' },
    rounds: { type: 'string', default: '5' },
    seconds: { type: 'string', default: '3' },
  },
});
const sizes = values.rules.split(',').map(Number);
const [rounds, seconds] = [Number(values.rounds), Number(values.seconds)];
const isCount = (number: number, least: number, most: number) =>
  Number.isInteger(number) && number >= least && number <= most;
if (!sizes.every((size) => isCount(size, 4, 5000)) || !isCount(rounds, 1, 100) || !isCount(seconds, 1, 60)) {
  console.error('usage: bench-shadow [--rules 4..5000,...] [--rounds 1..100] [--seconds 1..60]');
  process.exit(2);
}

const connections = 8;
interface Bench {
  readonly orders: MeshWorkload;
  readonly operator: Operator;
  readonly load: Load;
  readonly envoy: number;
}

/** How often shadow rules have let a request pass or would have denied it, in all steps together. */
async function shadowed(orders: MeshWorkload): Promise<number> {
  const stats = await orders.stats('shadow_(allowed|denied)$');
  return Object.values(stats).reduce((sum, count) => sum + count, 0);
}

async function compare(bench: Bench, rules: number, revision: bigint): Promise<bigint> {
  const { operator, orders } = bench;
  const holding = await operator.apply(policiesOf(rules, false), { shadow: false, revision });
  await waitFor(() => isCurrent(orders, rules), {
    what: 'the policies to hold',
    deadline: 60_000,
  });
  const without: Measured[] = [];
  const beside: Measured[] = [];
  for (let round = 0; round < rounds; round += 1) {
    without.push(await measure(bench, seconds));
    await operator.apply(policiesOf(rules, true), { shadow: true, revision: holding });
    await operator.taken();
    const before = await shadowed(orders);
    beside.push(await measure(bench, seconds));
    if ((await shadowed(orders)) === before) throw new Error('the candidate was never asked');
    await operator.revert();
    await waitFor(async () => !(await isTried(orders)), { what: 'the candidate to be gone' });
  }
  print(rules, without, beside);
  return holding;
}

async function filters(orders: MeshWorkload): Promise<string> {
  return (await orders.admin('/config_dump?resource=ecds_filters')).body;
}

async function isCurrent(orders: MeshWorkload, rules: number): Promise<boolean> {
  const half = rules - Math.floor(rules / 2);
  return (await filters(orders)).includes(`/allowed-${half - 2}/`) && !(await isTried(orders));
}

async function isTried(orders: MeshWorkload): Promise<boolean> {
  return (await filters(orders)).includes('/changed');
}

async function main(): Promise<void> {
  await using stack = new AsyncDisposableStack();
  const load = stack.use(new Load());
  const application = await load.application();
  const port = await freePort();
  const registry = registryText([{ name: 'orders', ports: [{ port, application }] }]);
  const mesh = stack.use(await startTestMesh({ registry: { 'shop.yaml': registry } }));
  const orders = await mesh.startWorkload('orders', 'orders');
  const operator = stack.use(new Operator(mesh.server.directory));
  const { chainPem, privateKeyPem } = await issueTo(mesh.server, caller, `/ns/shop/sa/${caller}`);
  await load.connect({
    port,
    connections,
    certificateChainPem: chainPem,
    privateKeyPem,
    rootsPem: mesh.server.app.authority.bundle().pem,
  });
  console.log(
    `${connections} connections of mutual TLS to one Envoy with one worker, one request after the other on each; ${rounds} rounds of ${seconds} s a side, in turn: medians`,
  );
  const bench = { orders, operator, load, envoy: await processOf('envoy') };
  let revision = 0n;
  for (const rules of sizes) revision = await compare(bench, rules, revision);
}

await main();
