import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { startOpenBao } from '../../test/parts/index.ts';
import { vaultSettings } from '../../test/support/vault-settings.ts';
import { developmentPlatform } from './platform.ts';
import { Killer } from './root-rotation/killer.ts';
import { drawKillPoints, killPoints } from './root-rotation/kills.ts';
import { type Counted, proxies, type Shop, startShop, type Tally } from './root-rotation/shop.ts';
import { isOpen, type Status, Terminal } from './root-rotation/terminal.ts';
import { say, step } from './say.ts';
import { startWorld, type World } from './world.ts';

const { values } = parseArgs({
  options: {
    seed: { type: 'string', default: '1' },
    kills: { type: 'string', default: '2' },
    ttl: { type: 'string', default: '40s' },
  },
});
const [seed, kills] = [Number(values.seed), Number(values.kills)];
if (!(Number.isInteger(seed) && kills >= 0 && kills <= killPoints.length && /^\d+[smh]$/.test(values.ttl))) {
  console.error(`usage: demo-root-rotation [--seed 1] [--kills 0..${killPoints.length}] [--ttl 40s]`);
  process.exit(2);
}

async function main(): Promise<void> {
  await using stack = new AsyncDisposableStack();
  step('1. A server whose root key is on this disk, and five workloads with a real Envoy each');
  const platform = developmentPlatform();
  const world = stack.use(await startWorld({ platform, ttl: values.ttl }));
  const shop = await startShop(world, stack);
  say(`   web and billing call orders, shop calls stock; certificates live ${values.ttl}`);
  say(`   the key of the root: ${await rootKeys(world)}`);
  const terminal = new Terminal(world);
  const killer = new Killer(world, terminal, drawKillPoints(seed, kills));
  say(`   with --seed ${seed} the server is killed at: ${killer.points.join(', ') || 'no point'}`);

  const stop = new AbortController();
  const tally: Tally = { requests: 0, failures: [] };
  const load = Promise.all([shop.load(tally, stop.signal), shop.load(tally, stop.signal)]);
  try {
    await rotate(world, shop, terminal, killer, stack);
  } finally {
    stop.abort();
    await load;
  }
  report(tally, await shop.counted(), killer);
}

async function rotate(
  world: World,
  shop: Shop,
  terminal: Terminal,
  killer: Killer,
  stack: AsyncDisposableStack,
): Promise<void> {
  step('2. The next root shall live in OpenBao: its address into the configuration, and the server anew');
  const bao = stack.use(await startOpenBao());
  const { vault } = await vaultSettings(bao, world.directory);
  await world.restartServer(({ keys, ...settings }) => ({
    ...settings,
    keys: { vault },
    issuingKeys: keys,
    formerKeys: keys,
  }));
  say(`   keys: {vault: {address: "${bao.address}", ...}}, formerKeys: {disk: ...}; the load goes on`);

  step("3. billing's node is cut off from the server; nobody has noticed yet, and somebody rotates");
  await shop.renewal();
  shop.way.cut();
  await terminal.expect('rotate', 'plan');
  await killer.order('rotation.start', 'start', 'the key goes to OpenBao');
  await terminal.until('all but billing to use both roots', ({ gate }) => inUse(gate) === proxies - 1);

  step('4. Both roots are handed out. Who does not use both is named, and the next step is refused');
  await killer.wait('waiting in distribute');
  await terminal.until('all but billing to use both roots', ({ gate }) => inUse(gate) === proxies - 1);
  await terminal.run('rotate', 'status');
  const refused = await terminal.run('rotate', 'continue', '--yes');
  if (refused.code === 0 || !refused.stderr.includes(shop.straggler))
    throw new Error('the next step was not refused, or without the name of who was cut off');

  step('5. The way is mended. The new root signs from now on, and the old one is still trusted');
  shop.way.mend();
  await terminal.until('billing to use both roots', isOpen);
  await killer.order('rotation.drain', 'continue', '');

  step('6. Every certificate under the old root ends first');
  await killer.wait('waiting in drain');
  const early = await terminal.run('rotate', 'continue', '--yes');
  if (early.code === 0) throw new Error('the old root left while certificates under it were valid');
  await terminal.until('the certificates under the old root to end', isOpen);
  await terminal.run('rotate', 'status');

  step('7. The old root leaves the bundle; then its key is destroyed');
  await killer.order('rotation.retire', 'continue', '');
  await terminal.until('the end', ({ phase }) => phase === 'done');
  await terminal.expect('authority', 'list');
  await world.restartServer((settings) =>
    Object.fromEntries(Object.entries(settings).filter(([name]) => name !== 'formerKeys')),
  );
  say(`   the server runs without formerKeys; root keys on the disk: ${await rootKeys(world)}`);
  if ((await rootKeys(world)) !== 'none') throw new Error('the old key is still on the disk');
}

function inUse(gate: Status['gate']): number {
  return gate?.proxies.filter(({ standing }) => standing === 'inUse').length ?? 0;
}

async function rootKeys({ directory }: World): Promise<string> {
  const names = await readdir(join(directory, 'data', 'keys'));
  return names.filter((name) => name.startsWith('root-')).join(' ') || 'none';
}

function report({ requests, failures }: Tally, { handshakes, resumed, retries }: Counted, killer: Killer) {
  step('8. What was counted');
  const full = handshakes - resumed;
  say(`new full handshakes, by the Envoys' own count: ${full} for ${requests} requests`);
  say(`sessions resumed ${resumed}, requests retried by an Envoy ${retries}`);
  for (const failure of failures.slice(0, 10)) say(`failure: ${failure}`);
  for (const point of killer.missed) say(`the server was not killed at "${point}"`);
  say(`requests ${requests}, failures ${failures.length}`);
  const well = full * 2 >= requests && resumed === 0 && retries === 0 && killer.missed.length === 0;
  if (!well || failures.length > 0 || requests < 100) process.exitCode = 1;
}

main().catch((error: unknown) => {
  process.stderr.write(`demo-root-rotation: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
});
