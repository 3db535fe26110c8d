import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { Agent, request } from 'node:https';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { DecisionRecord } from '../../../src/domain/ports/index.ts';
import type { Denial } from '../../../src/gen/citadel/v1/operator.ts';
import { exchange, freePort, hasPart, waitFor } from '../../parts/index.ts';
import { runCitadel } from '../../support/citadel.ts';
import { issueTo } from '../../support/issue-to.ts';
import { startApplication, startTestMesh, type TestMesh } from '../../support/mesh.ts';
import { callersOf, registryText } from '../../support/registry.ts';

const noDeletes = `apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {namespace: shop, name: no-deletes}
spec: {action: DENY, rules: [{to: [{operation: {methods: [DELETE]}}]}]}
`;

const noReads = noDeletes.replace('no-deletes', 'no-reads').replace('DELETE', 'GET');

type Caller = 'web' | 'cron' | 'plaintext';

async function start() {
  await using building = new AsyncDisposableStack();
  const application = building.use(await startApplication('orders'));
  const ports = { plaintext: await freePort(), web: await freePort() };
  const { plaintext: port, ...callers } = ports;
  const text = registryText(
    [
      { name: 'orders', ports: [{ port, application: application.port }] },
      ...callersOf('orders', 80, callers),
    ],
    [{ name: 'orders', ports: [{ port: 80, targetPort: port }] }],
  );
  const mesh = building.use(
    await startTestMesh({ registry: { 'shop.yaml': text }, mesh: { accessLog: { sample: 100 } } }),
  );
  await Promise.all(['orders', 'web'].map((name) => mesh.startWorkload(name, name)));
  const cron = await memberOf(mesh, 'cron', port);
  const running = building.move();
  return {
    mesh,
    call: async (caller: Caller, method: string, path: string) =>
      caller === 'cron'
        ? cron(method, path)
        : (await exchange(`http://127.0.0.1:${ports[caller]}${path}`, { method })).status,
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  };
}

/** A member of the mesh without a proxy, which says in its handshake by which name it calls. */
async function memberOf({ server }: TestMesh, account: string, port: number) {
  const { chainPem, privateKeyPem } = await issueTo(server, account, `/ns/shop/sa/${account}`);
  const agent = new Agent({
    cert: chainPem,
    key: privateKeyPem,
    ca: server.app.authority.bundle().pem,
    // A SPIFFE ID is no name of a host.
    checkServerIdentity: () => undefined,
    servername: 'orders.example',
    ALPNProtocols: ['istio', 'http/1.1'],
  });
  return async (method: string, path: string): Promise<number> => {
    const sent = request({
      agent,
      host: '127.0.0.1',
      port,
      method,
      path,
      signal: AbortSignal.timeout(10_000),
    });
    sent.end();
    const [response] = await once(sent, 'response');
    response.resume();
    return response.statusCode;
  };
}

/** Written as `web GET /orders/1 allowed`. */
const short = ({ caller, transport, method, path, decision }: DecisionRecord) =>
  `${caller?.split('/').at(-1) ?? transport} ${method} ${path} ${decision}`;

async function recorded({ server }: TestMesh): Promise<readonly DecisionRecord[]> {
  return (await server.app.store.decisions.find({ limit: 1000 })).items;
}

describe.skipIf(!hasPart('envoy'))('from traffic to a policy', () => {
  test('calls are recorded, replayed under a candidate, made a policy of, and let in by it', async () => {
    await using started = await start();
    const { mesh, call } = started;
    const calls: readonly (readonly [Caller, string, string])[] = [
      ['web', 'GET', '/orders/1'],
      ['web', 'GET', '/orders/2'],
      ['web', 'GET', '/orders//3?token=secret'],
      ['web', 'POST', '/orders'],
      ['cron', 'DELETE', '/orders/1'],
      ['plaintext', 'GET', '/orders/1'],
    ];
    for (const one of calls) expect(await call(...one)).toBe(200);
    await waitFor(async () => (await recorded(mesh)).length >= calls.length, { what: 'all records' });
    const records = await recorded(mesh);
    expect(records.map(short).toSorted()).toStrictEqual([
      'cron DELETE /orders/1 allowed',
      'plaintext GET /orders/1 allowed',
      'web GET /orders/1 allowed',
      'web GET /orders/2 allowed',
      'web GET /orders/3 allowed',
      'web POST /orders allowed',
    ]);
    expect(JSON.stringify(records)).not.toContain('secret');
    const web = records.find((record) => short(record) === 'web POST /orders allowed');
    expect(web).toMatchObject({
      addresses: ['127.0.0.1'],
      labels: { app: 'orders' },
      lacks: [],
      sampled: true,
    });
    expect(web?.host).toMatch(/^127\.0\.0\.1:\d+$/);

    expect(records.find(({ method }) => method === 'DELETE')?.serverName).toBe('orders.example');

    const { directory } = mesh.server;
    const citadel = (line: string) =>
      runCitadel(['policy', ...line.split(' '), '--socket', join(directory, 'operator.sock')], {
        directory,
        home: 'home',
      });
    writeFileSync(join(directory, 'candidate.yaml'), noDeletes);
    const replayed = await citadel('replay --candidate candidate.yaml --since 1h');
    expect(replayed).toMatchObject({ code: 1, stderr: '' });
    expect(replayed.stdout).toContain(
      '6 calls in 6 different ways recorded. 5 calls would be decided as before.',
    );
    expect(replayed.stdout).toMatch(
      /denied +1 +spiffe:\/\/\S+\/cron +shop\/orders:\d+ .*DENY shop\/no-deletes, rule 0/,
    );

    const suggested = await citadel('suggest --to shop/orders');
    expect(suggested).toMatchObject({ code: 0, stderr: '' });
    expect(suggested.stdout).toContain('- /orders/{*}');
    expect(suggested.stdout).toContain('1 call: not by mutual TLS');
    writeFileSync(join(directory, 'suggested.yaml'), suggested.stdout);
    expect(await citadel('apply suggested.yaml --yes')).toMatchObject({ code: 0 });
    await waitFor(async () => (await call('web', 'GET', '/admin')) === 403, { what: 'the policy to hold' });
    const after = await Promise.all(calls.map(async (one) => `${one[0]} ${await call(...one)}`));
    expect(after).toStrictEqual(['web 200', 'web 200', 'web 200', 'web 200', 'cron 200', 'plaintext 403']);
    expect(await call('web', 'GET', '/orders/77')).toBe(200);
    expect(await call('cron', 'GET', '/orders/1')).toBe(403);

    // What is denied is on the record, by the rule; what was told of at its start as allowed is not counted as such.
    const denied = ['cron GET /orders/1 denied', 'plaintext GET /orders/1 denied', 'web GET /admin denied'];
    await waitFor(
      async () => {
        const all = (await recorded(mesh)).map(short);
        return denied.every((one) => all.includes(one));
      },
      { what: 'the denials' },
    );
    const plaintext = (await recorded(mesh)).filter(({ transport }) => transport === 'plaintext');
    expect(plaintext.map(({ decision, count }) => `${decision} ${count}`).toSorted()).toStrictEqual([
      'allowed 1',
      'denied 1',
    ]);
    // By which rules, as the proxy of orders told of itself: none at first, then those that hold now.
    const told = await recorded(mesh);
    expect(told.filter(({ rules, decision }) => rules === undefined && decision === 'denied')).toEqual([]);
    expect(new Set(told.flatMap(({ rules }) => rules ?? [])).size).toBe(1);
    writeFileSync(join(directory, 'no-reads.yaml'), noReads);
    expect(await citadel('apply no-reads.yaml --yes')).toMatchObject({ code: 0 });
    const later = await citadel('replay --candidate candidate.yaml');
    expect(later.stdout).toMatch(/\d+ calls were decided by other rules than those of now\.\n/);

    // A denial says of which revision it was, also when another one holds.
    await waitFor(async () => (await call('web', 'GET', '/orders/1')) === 403, { what: 'the denial' });
    const listed = async (): Promise<readonly Denial[]> =>
      JSON.parse((await citadel('denials --from shop/web -o json')).stdout);
    const { id, revision } = await waitFor(
      async () => (await listed()).find(({ policy }) => policy === 'shop/no-reads'),
      { what: 'the denial to be told of' },
    );
    writeFileSync(join(directory, 'no-reads.yaml'), noReads.replace('GET', 'HEAD'));
    expect(await citadel('apply no-reads.yaml --yes')).toMatchObject({ code: 0 });
    await waitFor(async () => (await call('web', 'GET', '/orders/1')) === 200, {
      what: 'the change to hold',
    });
    const { stdout } = await citadel(`explain --denial ${id}`);
    expect(stdout).toContain(
      `\n  decided by revision ${revision} of shop/no-reads; now it is at ${revision + 1}\n`,
    );
    expect(stdout).toContain('The policies for it have been changed since. ');
  });
});
