import { once } from 'node:events';
import { parseArgs } from 'node:util';
import { freePort, waitFor } from '../../test/parts/index.ts';
import { createApplication } from '../../test/support/http-application.ts';
import { prepareAuthor } from './author.ts';
import { type CallResult, call } from './call.ts';
import { showControlPlane } from './control-plane.ts';
import { developmentPlatform, type Platform } from './platform.ts';
import { say, step } from './say.ts';
import { startWireTap } from './wire-tap.ts';
import { startWorld, trustDomain, type World } from './world.ts';

const { values: flags } = parseArgs({
  options: {
    once: { type: 'boolean' },
    stay: { type: 'boolean' },
    kubernetes: { type: 'boolean' },
    vault: { type: 'boolean' },
  },
});
const interruption = new AbortController();
const { signal } = interruption;
const stay = (process.stdout.isTTY || flags.stay === true) && flags.once !== true;

/** Short, so that the viewer sees a renewal. */
const ttl = '20s';

async function choosePlatform(): Promise<Platform | (Platform & AsyncDisposable)> {
  if (flags.kubernetes && flags.vault) throw new Error('give --kubernetes or --vault, not both');
  if (flags.kubernetes) return (await import('./kubernetes-platform.ts')).kubernetesPlatform();
  if (flags.vault) return (await import('./vault-platform.ts')).vaultPlatform();
  return developmentPlatform();
}

async function main(): Promise<void> {
  await using stack = new AsyncDisposableStack();
  for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, () => interruption.abort());
  const platform = await choosePlatform();
  if (Symbol.asyncDispose in platform) stack.use(platform);
  step('1. Start Citadel');
  say(`   ${platform.summary}`);
  const world = stack.use(await startWorld({ platform, ttl, lasting: '1h', workbench: stay }));
  say(`   trust domain ${trustDomain}; data in ${world.directory}`);

  signal.throwIfAborted();
  step('2. Start two workloads: an agent and a real Envoy beside each');
  const demo = await startShop(world, stack);
  say(`   web     ${demo.webId}`);
  say(`   orders  ${demo.ordersId}`);

  signal.throwIfAborted();
  step('3. The same call in plaintext: what a listener on the wire reads');
  const plain = await demo.callPlain();
  say(`   ${plain.result.status} ${plain.result.body}`);
  for (const line of plain.wire.toString('latin1').split('\r\n').slice(0, 4)) say(`   wire | ${line}`);

  signal.throwIfAborted();
  step('4. The same call as mutual TLS');
  const first = await demo.callMutual();
  say(`   ${first.result.status} ${first.result.body}`);
  for (let at = 0; at < 48; at += 16) say(`   wire | ${readable(first.wire.subarray(at, at + 16))}`);
  describeCall(first.result);

  signal.throwIfAborted();
  step(`5. Certificates rotate: these live ${ttl} and are renewed at half of that`);
  const serial = first.result.headers['x-client-serial'];
  const rotated = await waitFor(
    async () => {
      const { result } = await demo.callMutual();
      return result.headers['x-client-serial'] !== serial && result;
    },
    { deadline: 60_000, what: 'a new certificate of web', signal },
  );
  say(`   serial was ${serial}`);
  say(`   serial is  ${rotated.headers['x-client-serial']}, until ${rotated.headers['x-client-ends']}`);

  signal.throwIfAborted();
  step('6. What the server knows');
  const proxies = await world.operator('proxy', 'list');
  const certificates = await world.operator('certificate', 'list');
  for (const line of [
    ...proxies.trimEnd().split('\n'),
    '',
    ...certificates.trimEnd().split('\n').slice(0, 8),
  ])
    say(`   ${line}`);

  const policed = await showControlPlane(world, stack, signal);

  step('Next');
  if (stay) {
    const author = await prepareAuthor(world, policed);
    say(
      '   In another terminal, in an empty directory; docs/policies.md goes on from here to a change that holds:',
    );
    say(`   source ${author.environment}   # you are ann there, who may write policies`);
    say(
      '   curl -i -X DELETE $CRON/orders/40             # is denied; the header x-citadel-denial is its name',
    );
    say('   citadel policy explain --denial NAME          # says why');
    say(
      `   In a browser, signed in as docs/operations.md#the-console says, with what is in ${author.directory}:`,
    );
    say(`   ${world.consoleOrigin}`);
    say('   As the operator of this machine:');
    say(`   scripts/citadel check --socket ${world.directory}/data/operator.sock`);
  } else
    say(
      '   scripts/quickstart on a terminal, without --once    the same, to be worked with while it stays up',
    );
  say('   Otherwise:');
  say('   scripts/quickstart --kubernetes    the same with a real kube-apiserver and bound tokens');
  say('   scripts/quickstart --vault         the same with the root key in a real OpenBao');
  say('   docs/operations.md                 for production');
  if (stay) {
    say('\n   Everything stays up until Ctrl-C.');
    if (!signal.aborted) await once(signal, 'abort');
  }
  say(`\nmTLS: ${demo.webId} -> ${demo.ordersId}`);
}

async function startShop(world: World, stack: AsyncDisposableStack) {
  const application = createApplication((request, response) =>
    response.end(`order ${request.url?.split('/').at(-1)}: 3 apples`),
  );
  await new Promise<void>((resolve) => application.listen(0, '127.0.0.1', resolve));
  stack.defer(() => new Promise<void>((resolve) => application.close(() => resolve())));
  const address = application.address();
  if (address === null || typeof address === 'string') throw new Error('the application has no port');
  const [plainIn, mutualIn, plainPort, mutualPort] = await Promise.all([
    freePort(),
    freePort(),
    freePort(),
    freePort(),
  ]);
  const plainTap = stack.use(await startWireTap(plainIn));
  const mutualTap = stack.use(await startWireTap(mutualIn));
  const ordersId = `spiffe://${trustDomain}/ns/shop/sa/orders`;
  const [orders, web] = await Promise.all([
    world.startWorkload(
      'orders',
      [
        { name: 'plaintext', port: plainIn, cluster: 'application' },
        { name: 'mutual-tls', port: mutualIn, cluster: 'application', trustDomain },
      ],
      [{ name: 'application', port: address.port }],
    ),
    world.startWorkload(
      'web',
      [
        { name: 'to-plaintext', port: plainPort, cluster: 'orders-plaintext' },
        { name: 'to-mutual-tls', port: mutualPort, cluster: 'orders' },
      ],
      [
        { name: 'orders-plaintext', port: plainTap.port, requestsPerConnection: 1 },
        { name: 'orders', port: mutualTap.port, spiffeId: ordersId, requestsPerConnection: 1 },
      ],
    ),
  ]);
  const observed = async (port: number, tap: { take(): Buffer }) => {
    tap.take();
    const result = await call(port, '/orders/42');
    if (result.status !== 200) throw new Error(`the call was answered ${result.status}: ${result.body}`);
    return { result, wire: tap.take() };
  };
  return {
    webId: web.spiffeId,
    ordersId: orders.spiffeId,
    mutualPort,
    callPlain: () => observed(plainPort, plainTap),
    callMutual: () => observed(mutualPort, mutualTap),
  };
}

function describeCall({ headers }: CallResult): void {
  say(`   client  ${headers['x-client-id']}`);
  say(
    `           serial ${headers['x-client-serial']}, from ${headers['x-client-begins']} to ${headers['x-client-ends']}`,
  );
  say(`   server  ${headers['x-server-id']}`);
  say(`   TLS     ${headers['x-tls']}`);
}

function readable(bytes: Buffer): string {
  const hex = bytes.toString('hex').replace(/../g, '$& ');
  return `${hex.padEnd(49)}${bytes.toString('latin1').replace(/[^\x20-\x7e]/g, '.')}`;
}

main().catch((error: unknown) => {
  // What is still begun fails as its processes go; that says nothing.
  if (signal.aborted) {
    process.stderr.write('quickstart: interrupted; everything that it started is gone\n');
    process.exitCode = 130;
    return;
  }
  process.stderr.write(`quickstart: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
});
