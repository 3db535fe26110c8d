import { writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { connect, createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { credentials } from '@grpc/grpc-js';
import { describe, expect, test } from 'vitest';
import {
  type ApplyPoliciesRequest,
  OperatorServiceClient,
  type PolicyShadow,
} from '../../../src/gen/citadel/v1/operator.ts';
import { freePort, hasPart, waitFor } from '../../parts/index.ts';
import { runCitadel } from '../../support/citadel.ts';
import { startApplication, startTestMesh, type TestMesh } from '../../support/mesh.ts';
import { callersOf, registryText } from '../../support/registry.ts';

const policy = (name: string, action: string, ruleText: string, annotations = '{}') => `
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {namespace: shop, name: ${name}, annotations: ${annotations}}
spec:
  selector: {matchLabels: {app: orders}}
  action: ${action}
  rules: ${ruleText}
---
`;

const cronAt = (path: string) =>
  `[{from: [{source: {serviceAccounts: [cron]}}], to: [{operation: {paths: ["${path}"]}}]}]`;

const holding =
  policy('cron', 'DENY', cronAt('/admin')) + policy('perhaps', 'DENY', '[{}]', '{istio.io/dry-run: "true"}');
/** Cron may go to /admin and no more to /jobs; callers without a certificate nowhere; to connections web alone. */
const tried =
  policy('cron', 'DENY', cronAt('/jobs')) +
  policy(
    'known',
    'ALLOW',
    '[{from: [{source: {serviceAccounts: [web]}}]}, {from: [{source: {serviceAccounts: [cron]}}], to: [{operation: {methods: [GET]}}]}]',
  );

/** For an Envoy that refuses what it takes elsewhere (up to 100): a long template of a path. */
const smallExpressions = {
  layered_runtime: {
    layers: [{ name: 'small', static_layer: { re2: { max_program_size: { error_level: 80 } } } }],
  },
};
const refused = policy('long', 'DENY', `[{to: [{operation: {paths: ["/{*}/${'x'.repeat(75)}"]}}]}]`);

async function startEcho(): Promise<AsyncDisposable & { readonly port: number }> {
  const open = new Set<Socket>();
  const server = createServer((socket) => {
    open.add(socket);
    socket.on('error', () => socket.destroy()).pipe(socket);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the echo has no port');
  return {
    port: address.port,
    [Symbol.asyncDispose]: () =>
      new Promise<void>((resolve) => {
        for (const socket of open) socket.destroy();
        server.close(() => resolve());
      }),
  };
}

/** What a connection answers; nothing where it is closed. */
function echoed(port: number): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => socket.write('well'));
    socket.once('data', (bytes) => {
      resolve(bytes.toString());
      socket.destroy();
    });
    socket.once('error', () => resolve(''));
    socket.once('close', () => resolve(''));
  });
}

function statusOf(port: number, path: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const sent = request({ host: '127.0.0.1', port, path, agent: false }, (response) => {
      response.resume();
      resolve(response.statusCode ?? 0);
    });
    sent.once('error', reject);
    sent.end();
  });
}

async function startShop(stack: AsyncDisposableStack) {
  const application = stack.use(await startApplication('orders'));
  const echo = stack.use(await startEcho());
  const [port, tcp, web, cron] = await Promise.all(Array.from({ length: 4 }, () => freePort()));
  if (port === undefined || tcp === undefined || web === undefined || cron === undefined)
    return expect.fail('no ports');
  const text = registryText(
    [
      {
        name: 'orders',
        ports: [
          { port, application: application.port },
          { port: tcp, protocol: 'tcp', application: echo.port },
        ],
      },
      ...callersOf('orders', 80, { web, cron }),
    ],
    [
      {
        name: 'orders',
        ports: [
          { port: 80, targetPort: port },
          { port: 90, protocol: 'tcp', targetPort: tcp },
        ],
      },
    ],
  );
  // Of what both allow nothing is told: what is seen of differences must not hang on a sample.
  const mesh = stack.use(
    await startTestMesh({ registry: { 'shop.yaml': text }, mesh: { accessLog: { sample: 0 } } }),
  );
  const bootstrap = join(mesh.server.directory, 'small.json');
  writeFileSync(bootstrap, JSON.stringify(smallExpressions));
  const withBootstrap = { args: ['--config-path', bootstrap] };
  const [orders] = await Promise.all(
    ['orders', 'web', 'cron'].map((name) =>
      mesh.startWorkload(name, name, name === 'orders' ? withBootstrap : {}),
    ),
  );
  if (!orders) return expect.fail('no orders');
  const { directory } = mesh.server;
  const citadel = (...args: readonly string[]) =>
    runCitadel([...args, '--socket', join(directory, 'operator.sock')], { directory, home: 'home' });
  return { mesh, orders, citadel, port, tcp, web, cron };
}

/** The operator's API, without a process for each call. */
function operatorOf({ server }: TestMesh) {
  const client = new OperatorServiceClient(
    `unix:${join(server.directory, 'operator.sock')}`,
    credentials.createInsecure(),
  );
  const answer = <R>(call: (done: (error: Error | null, response: R) => void) => unknown): Promise<R> =>
    new Promise((resolve, reject) => call((error, response) => (error ? reject(error) : resolve(response))));
  const apply = (how: Pick<ApplyPoliciesRequest, 'expectedRevision' | 'shadow'>, text: string) =>
    answer((done) =>
      client.applyPolicies(
        {
          ...how,
          texts: [{ source: 'test', text }],
          remove: [],
          restore: undefined,
          dryRun: false,
          reason: 'by call',
        },
        done,
      ),
    );
  return {
    apply,
    shadow: async (): Promise<PolicyShadow | undefined> =>
      (await answer<{ shadow: PolicyShadow | undefined }>((done) => client.getPolicyShadow({}, done))).shadow,
    revert: (id: string) => answer((done) => client.revertPolicyShadow({ id, reason: 'no use' }, done)),
    promote: (id: string, force = false) =>
      answer((done) => client.promotePolicyShadow({ id, force, reason: 'by call' }, done)),
    [Symbol.dispose]: () => client.close(),
  };
}

describe.skipIf(!hasPart('envoy'))('policies that are tried beside those that hold', () => {
  test('decide nothing, show what would differ on each call, and hold when they are promoted', async () => {
    await using stack = new AsyncDisposableStack();
    const { mesh, orders, citadel, port, tcp, web, cron } = await startShop(stack);
    const operator = stack.use(operatorOf(mesh));
    const verdicts = async () => ({
      web: await statusOf(web, '/orders'),
      cronAdmin: await statusOf(cron, '/admin'),
      cronJobs: await statusOf(cron, '/jobs'),
      plaintext: await statusOf(port, '/orders'),
      connection: await echoed(tcp),
    });
    const asBefore = { web: 200, cronAdmin: 403, cronJobs: 200, plaintext: 200, connection: 'well' };
    const taken = () =>
      waitFor(async () => (await operator.shadow())?.workloads[0]?.standing === 'current', {
        what: 'the proxy of orders to have the candidate',
      });
    await operator.apply({ expectedRevision: 0n, shadow: false }, holding);
    await waitFor(async () => (await statusOf(cron, '/admin')) === 403, { what: 'the denial to hold' });
    expect(await verdicts()).toEqual(asBefore);
    expect(await operator.shadow()).toBeUndefined();

    const file = join(mesh.server.directory, 'tried.yaml');
    writeFileSync(file, tried);
    const started = await citadel('policy', 'apply', '--shadow', file, '--yes', '--reason', 'ticket 9');
    expect(started.code, started.stderr).toBe(0);
    expect(started.stdout).toContain('is tried beside revision 1');
    await taken();
    const { id = '', doubts } = (await operator.shadow()) ?? {};
    expect(doubts).toEqual(['nothing was observed: no call that came has been told of']);
    await expect(operator.promote(id)).rejects.toThrow('nothing was observed');

    expect(await verdicts()).toEqual(asBefore);
    expect(await verdicts()).toEqual(asBefore);
    const seen = await waitFor(
      async () => {
        const now = await operator.shadow();
        return now?.workloads[0]?.different === 8n && now;
      },
      { what: 'each difference to be told' },
    );
    expect(seen.workloads).toMatchObject([{ workload: 'files/shop/orders', each: 8n, sampled: 0n }]);
    // In the store, where the next server finds it.
    const { watches, tallies } = await mesh.server.app.store.shadows.seen(id);
    expect(tallies).toMatchObject([{ workload: 'files/shop/orders', each: 8, different: 8 }]);
    expect(watches).toMatchObject([{ closed: false }]);
    const told = seen.differences.map((each) =>
      [
        `${each.count} ${each.becomes} by ${each.step} ${each.candidatePolicy}[${each.candidateRule}]`,
        `${each.callerId} held by ${each.policy}`,
        ...[...new Set(each.examples.map(({ path }) => path))].toSorted(),
      ].join('; '),
    );
    const cronId = 'spiffe://example.org/ns/shop/sa/cron';
    expect(told.toSorted()).toEqual([
      `2 allowed by ALLOW shop/known[1]; ${cronId} held by shop/cron; /admin`,
      `2 denied by DENY shop/cron[0]; ${cronId} held by ; /jobs`,
      // Requests and connections without a certificate; these have no path.
      '4 denied by ALLOW [undefined];  held by ; ; /orders',
    ]);
    const { stdout: text } = await citadel('policy', 'shadow', 'status');
    expect(text).toMatch(
      /2 calls of spiffe:\/\/example\.org\/ns\/shop\/sa\/cron to files\/shop\/orders would become denied: denied by rule 0 of shop\/cron; nothing denies it now\n {2}\S+ port \d+ GET \/jobs from 127\.0\.0\.1/,
    );
    // What is a dry run among the policies that hold goes on to be counted.
    const dryRuns = await orders.stats('citadel_dry_run_deny_.*shadow_denied');
    expect(Object.values(dryRuns).some((count) => count > 0)).toBe(true);

    const promoted = await citadel('policy', 'shadow', 'promote', '--yes', '--reason', 'seen enough');
    expect(promoted.code, promoted.stderr).toBe(0);
    expect(promoted.stdout).toBe('Revision 2: the candidate holds.\n');
    const asTried = { web: 200, cronAdmin: 200, cronJobs: 403, plaintext: 403, connection: '' };
    await waitFor(async () => JSON.stringify(await verdicts()) === JSON.stringify(asTried), {
      what: 'the candidate to hold',
    });
    expect(await operator.shadow()).toBeUndefined();

    // Another one, which is taken back.
    await operator.apply({ expectedRevision: 2n, shadow: true }, holding);
    await taken();
    const dump = async () => (await orders.admin('/config_dump')).body;
    expect(await dump()).toContain('pass/');
    await operator.revert((await operator.shadow())?.id ?? '');
    expect(await operator.shadow()).toBeUndefined();
    await waitFor(async () => !(await dump()).includes('pass/'), { what: 'the candidate to be gone' });
    expect(await verdicts()).toEqual(asTried);

    // One that Envoy itself refuses: what holds goes on to hold, and to be changed.
    await operator.apply({ expectedRevision: 2n, shadow: true }, refused);
    const refusal = await waitFor(
      async () => {
        const now = await operator.shadow();
        return now?.workloads[0]?.standing === 'refused' && now;
      },
      { what: 'the proxy of orders to refuse the candidate' },
    );
    expect(refusal.obstacles).toEqual([expect.stringMatching(/files\/shop\/orders \(.*program size/s)]);
    await expect(operator.promote(refusal.id, true)).rejects.toThrow('refused the candidate');
    expect(await verdicts()).toEqual(asTried);
    await operator.apply({ expectedRevision: 2n, shadow: false }, policy('cron', 'DENY', cronAt('/orders')));
    await waitFor(async () => (await statusOf(cron, '/orders')) === 403, {
      what: 'a change of what holds to hold',
    });
    expect(await verdicts()).toEqual({ ...asTried, cronJobs: 200 });
    await operator.revert(refusal.id);

    const { items } = await mesh.server.app.store.audit.find({ limit: 50 });
    const audited = items
      .filter(({ action }) => action.startsWith('policy.shadow'))
      .map(({ action, outcome, reason }) => [action, outcome, reason]);
    expect(audited).toEqual([
      ['policy.shadow.revert', 'allowed', 'no use'],
      ['policy.shadow.promote', 'refused', 'by call'],
      ['policy.shadow.start', 'allowed', 'by call'],
      ['policy.shadow.revert', 'allowed', 'no use'],
      ['policy.shadow.start', 'allowed', 'by call'],
      ['policy.shadow.promote', 'allowed', 'seen enough'],
      ['policy.shadow.promote', 'refused', 'by call'],
      ['policy.shadow.start', 'allowed', 'ticket 9'],
    ]);
  }, 150_000);
});
