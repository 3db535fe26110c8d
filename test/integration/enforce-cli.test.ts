import { randomBytes } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startProcess, type TemporaryDirectory, temporaryDirectory, waitFor } from '../parts/index.ts';
import { runCitadel } from '../support/citadel.ts';
import { registryText } from '../support/registry.ts';
import { startTestServer, type TestServer } from '../support/server.ts';

// No proxy is connected here: what is known of one is test/e2e/mesh/enforce.test.ts.
let temporary: TemporaryDirectory;
let server: TestServer;

const workloads = [
  { name: 'orders', ports: [{ port: 8080, application: 9080 }] },
  { name: 'web', ports: [{ port: 8081, application: 9081 }] },
];
const disabled = `
---
apiVersion: security.istio.io/v1
kind: PeerAuthentication
metadata: {namespace: shop, name: orders}
spec: {selector: {matchLabels: {app: web}}, portLevelMtls: {8081: {mode: DISABLE}}}
`;

async function start(): Promise<TestServer> {
  const registry = join(temporary.path, 'registry');
  return startTestServer(
    {
      keys: { disk: { encryption: { keyFile: join(temporary.path, 'key') } } },
      mesh: { sources: { files: { directory: registry } } },
    },
    { directory: temporary.path },
  );
}

beforeAll(async () => {
  temporary = await temporaryDirectory();
  writeFileSync(join(temporary.path, 'key'), randomBytes(32), { mode: 0o600 });
  mkdirSync(join(temporary.path, 'registry'));
  writeFileSync(join(temporary.path, 'registry/shop.yaml'), registryText(workloads) + disabled);
  server = await start();
});
afterAll(async () => {
  await server.stop();
  await temporary[Symbol.asyncDispose]();
});

const socket = () => ['--socket', join(temporary.path, 'operator.sock')];
const citadel = (...args: readonly string[]) => runCitadel(args, { directory: temporary.path, home: 'home' });
const mtls = (...args: readonly string[]) => citadel('mtls', ...args, ...socket());
const forced = ['--force', '--reason', 'ticket 7', '--yes'] as const;

/** Starts a command that goes on, and leaves it once it has said that the order does. */
async function order(...args: readonly string[]): Promise<string> {
  const program = join(import.meta.dirname, '../../scripts/citadel');
  const command = await startProcess(program, ['mtls', 'enforce', ...args, ...forced, ...socket()]);
  const [, id = ''] = await command.line(/^Order ([0-9a-f]{12})\./);
  await command.line(/orders asked/);
  command.kill('SIGINT');
  expect((await command.exited).code).toBe(1);
  expect(command.stderr()).toContain(`Order ${id} goes on: citadel mtls status shows it.`);
  return id;
}

const audit = async (action: string) => (await server.app.store.audit.find({ action, limit: 100 })).items;
const modes = async () => (await mtls('status', '--workload', 'orders')).stdout;

describe('citadel mtls enforce', () => {
  it('refuses what is not known to be safe, and says why; forced it asks for a reason', async () => {
    const refused = await mtls('enforce', '--namespace', 'shop', '--yes');
    expect(refused.code).toBe(2);
    expect(refused.stderr).toContain(
      'files/shop/orders becomes strict on 8080, though nobody knows whether that is safe',
    );
    expect(refused.stderr).toContain('its agent has not reported what its proxy has logged');
    expect(refused.stderr).toMatch(
      /files\/shop\/web stays as it is\n +its policies say DISABLE of every port/,
    );
    expect(refused.stderr).toContain('Nothing was done');
    const unreasoned = await mtls('enforce', '--namespace', 'shop', '--force', '--yes');
    expect(unreasoned.stderr).toContain('needs a reason');
    expect(await audit('mtls.enforce.start')).toEqual([]);
  });

  it.each([
    { args: [], code: 64, says: 'name one of --namespace, --workload and --mesh' },
    { args: ['--mesh', '--namespace', 'shop'], code: 64, says: 'name one of' },
    { args: ['--namespace', 'shpo'], code: 66, says: 'no registry has a workload of namespace shpo' },
    { args: ['--workload', 'none'], code: 66, says: 'no registry has a workload none' },
    { args: ['--mesh', '--revert-within', '2h'], code: 64, says: 'revert within must be' },
    { args: ['--mesh', '--window', '8d'], code: 64, says: 'window must be' },
  ])('refuses $args', async ({ args, code, says }) => {
    const refused = await mtls('enforce', ...args, '--yes');
    expect(refused.stderr).toContain(says);
    expect(refused.code).toBe(code);
  });

  it('asks before it does anything', async () => {
    const asked = await mtls('enforce', '--mesh', '--force', '--reason', 'x');
    expect(asked.code).toBe(1);
    expect(asked.stderr).toContain('Nothing was done; add --yes');
  });

  it('is an operator’s: a viewer sees how far it is, and changes nothing', async () => {
    const enrolled = ['operator', 'enrol', ...socket(), '--name', 'vic', '--role', 'viewer', '--yes'];
    await runCitadel(enrolled, { directory: temporary.path, home: 'vic' });
    const overTls = ['--server', `localhost:${server.app.operator.port}`];
    const asVic = (...args: readonly string[]) =>
      runCitadel(['mtls', ...args, ...overTls], { directory: temporary.path, home: 'vic' });
    expect((await asVic('status')).code).toBe(0);
    for (const command of ['enforce', 'revert']) {
      const refused = await asVic(command, '--mesh', '--yes');
      expect(refused.code).toBe(77);
      expect(refused.stderr).toContain('this needs the role operator; operator:vic has viewer');
    }
  });

  it('goes on without its command, and alone in its scope', async () => {
    const id = await order('--workload', 'orders', '--revert-within', '10m');
    await waitFor(async () => (await modes()).includes('(STRICT: its proxy is not connected)'), {
      what: 'the order to hold',
    });
    expect(await modes()).toMatch(new RegExp(`${id} +unknown`));
    expect(await modes()).toMatch(
      new RegExp(
        `${id} +workload files/shop/orders +running +0 of 1 done +local:\\d+ .* its proxy is not connected`,
      ),
    );
    for (const scope of [['--mesh'], ['--namespace', 'shop'], ['--workload', 'files/shop/orders']]) {
      const second = await mtls('enforce', ...scope, ...forced);
      expect(second.code).toBe(2);
      expect(second.stderr).toMatch(new RegExp(`local:\\d+ makes workload files/shop/orders strict.*${id}`));
    }
    expect(await audit('mtls.enforce.start')).toMatchObject([
      {
        subject: expect.stringMatching(/^local:/),
        proof: 'local-socket',
        target: 'workload files/shop/orders',
        reason: 'ticket 7',
        details: { order: id, forced: 'files/shop/orders' },
      },
    ]);
    expect(await audit('mtls.enforce.step')).toMatchObject(
      [
        {
          subject: 'server',
          target: 'files/shop/orders',
          reason: 'told to be strict',
          details: { order: id },
        },
        { reason: /its turn has come/ },
      ].map(({ reason, ...event }) => ({ ...event, reason: expect.stringMatching(reason) })),
    );
  });

  it('holds and goes on after the server is started again', async () => {
    await server.stop();
    server = await start();
    expect(server.app.controlPlane?.view('files/shop/orders')?.inbound.map(({ mode }) => mode)).toEqual([
      'STRICT',
    ]);
    expect(await modes()).toMatch(/files\/shop\/orders +running +0 of 1 done/);
  });

  it('is taken back by revert, which says of what, and twice is nothing', async () => {
    const asked = await mtls('revert', '--namespace', 'shop');
    expect(asked.code).toBe(1);
    expect(asked.stderr).toContain('files/shop/orders takes plaintext again');
    expect(asked.stderr).toMatch(/of order [0-9a-f]{12} \(workload files\/shop\/orders, running, by local:/);

    // Its proxy is not there to accept it: the command would wait for that.
    const program = join(import.meta.dirname, '../../scripts/citadel');
    const args = ['mtls', 'revert', '--namespace', 'shop', '--yes', '--reason', 'enough', ...socket()];
    const command = await startProcess(program, args);
    await waitFor(async () => (await modes()).includes('(PERMISSIVE: '), {
      what: 'the order to be taken back',
    });
    await command.stop();
    expect(await audit('mtls.revert')).toMatchObject([
      { subject: expect.stringMatching(/^local:/), target: 'namespace shop', reason: 'enough' },
    ]);
    const again = await mtls('revert', '--namespace', 'shop', '--yes');
    expect(again).toMatchObject({ code: 0, stdout: expect.stringContaining('no order holds there') });
  });
});
