import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { freePort, hasPart, type RunningProcess, startProcess, waitFor } from '../../parts/index.ts';
import { startApplication } from '../../support/echo-application.ts';
import { loadEcho, loadHttp, loadHttp2 } from '../../support/load.ts';
import { startTestMesh, type TestMesh } from '../../support/mesh.ts';
import { callInPlaintext } from '../../support/plaintext.ts';
import { registryText } from '../../support/registry.ts';

const program = join(import.meta.dirname, '../../../scripts/citadel');
const socketOf = ({ server }: TestMesh) => join(server.directory, 'operator.sock');

/** Calls in plaintext from the beginning, and is then silent for longer than the window. */
const known = '127.0.0.5';
const stranger = '127.0.0.6';

async function start() {
  await using building = new AsyncDisposableStack();
  const application = building.use(await startApplication());
  const names = ['http', 'http2', 'tcp'] as const;
  const called = await freePort();
  const inbound = { http: await freePort(), http2: await freePort(), tcp: await freePort() };
  const egress = { http: await freePort(), http2: await freePort(), tcp: await freePort() };
  const shop = registryText(
    [
      {
        name: 'orders',
        ports: names.map((name) => ({ port: inbound[name], protocol: name, application: application[name] })),
      },
      {
        name: 'web',
        ports: [{ port: called, protocol: 'http', application: application.http }],
        egress: names.map((name) => ({ listen: egress[name], service: 'orders', port: inbound[name] })),
      },
    ],
    [
      {
        name: 'orders',
        ports: names.map((name) => ({ port: inbound[name], targetPort: inbound[name], protocol: name })),
      },
    ],
  );
  const mesh = building.use(await startTestMesh({ registry: { 'shop.yaml': shop } }));
  await mesh.startWorkload('orders', 'orders', { args: ['--drain-time-s', '2'] });
  await mesh.startWorkload('web', 'web', { args: ['--drain-time-s', '2'] });
  const stop = new AbortController();
  const loads = [
    loadHttp(egress.http, true, stop.signal),
    loadHttp(egress.http, false, stop.signal),
    loadHttp2(egress.http2, stop.signal),
    loadEcho(egress.tcp, false, stop.signal),
    loadEcho(egress.http, true, stop.signal),
  ];
  building.defer(() => stop.abort());
  const running = building.move();
  return {
    mesh,
    port: inbound.http,
    async endLoad() {
      stop.abort();
      return Promise.all(loads);
    },
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  };
}

describe.skipIf(!hasPart('envoy'))('citadel mtls enforce and revert', () => {
  test('mutual TLS loses nothing; a caller known before halts it, a stranger does not', async () => {
    await using started = await start();
    const { mesh, port } = started;
    const citadel = (...args: readonly string[]): Promise<RunningProcess> =>
      startProcess(program, [...args, '--socket', socketOf(mesh)]);
    const mtls = async (...args: readonly string[]) => {
      const command = await citadel('mtls', ...args);
      return { code: (await command.exited).code, output: command.logs() };
    };
    const enforce = (...args: readonly string[]) =>
      ['enforce', '--workload', 'orders', '--window', '16s', '--yes', ...args] as const;

    expect(await callInPlaintext(port, known)).toBe(200);
    await waitFor(async () => (await mtls('status')).output.includes(known), { what: 'the call to be seen' });
    const unsafe = await mtls(...enforce());
    expect(unsafe.code).toBe(2);
    expect(unsafe.output).toMatch(/127\.0\.0\.5 called port \d+ without mutual TLS/);
    expect(unsafe.output).toContain('Nothing was done');

    await waitFor(async () => (await mtls('status', '--window', '16s')).output.match(/orders .* safe /), {
      what: 'STRICT to be safe',
      deadline: 60_000,
      interval: 1_000,
    });
    const first = await citadel('mtls', ...enforce('--observe', '30s'));
    await first.line(/orders observing/, { deadline: 30_000 });
    expect(await callInPlaintext(port, stranger)).toBe(0);
    const second = await mtls(...enforce());
    expect(second.output).toMatch(/local:\d+ makes workload files\/shop\/orders strict since/);
    expect(second.code).toBe(2);
    expect(first.exit).toBeUndefined();
    expect(await callInPlaintext(port, known)).toBe(0);
    expect((await first.exited).code).toBe(2);
    expect(first.logs()).toMatch(/Halted \(refused\): files\/shop\/orders: 127\.0\.0\.5, which called/);
    expect(await callInPlaintext(port, stranger)).toBe(0);

    const check = await citadel('check');
    expect((await check.exited).code).toBe(1);
    expect(check.logs()).toMatch(
      /mutual-tls-order.*halted: files\/shop\/orders: 127\.0\.0\.5, which called/s,
    );

    const again = await citadel('mtls', ...enforce('--observe', '30s', '--revert-within', '1m'));
    await again.line(/orders observing/, { deadline: 30_000 });
    expect(await callInPlaintext(port, known)).toBe(0);
    expect((await again.exited).code).toBe(2);
    expect(again.logs()).toContain('files/shop/orders was taken back.');
    await waitFor(async () => (await callInPlaintext(port, '127.0.0.7')) === 200, {
      what: 'plaintext to be taken again',
    });

    await waitFor(async () => (await mtls('status')).output.includes('127.0.0.7'), { what: 'its evidence' });
    const shop = ['--namespace', 'shop', '--window', '16s', '--observe', '2s', '--force', '--yes'];
    const forced = await citadel('mtls', 'enforce', ...shop, '--reason', 'a test');
    await forced.line(/orders observing/, { deadline: 30_000 });
    expect(await callInPlaintext(port, '127.0.0.7')).toBe(0);
    expect((await forced.exited).code, forced.logs()).toBe(0);
    expect(forced.logs()).toContain('would be refused: 127.0.0.7');
    const states = [...forced.stdout().matchAll(/(?<=shop\/)(?:orders|web) \w+/g)].map(([state]) => state);
    expect(states.indexOf('web observing')).toBeGreaterThan(states.indexOf('orders settling'));
    expect((await mtls('status')).output).toMatch(/orders +\d+ STRICT, \d+ STRICT, \d+ STRICT /);
    expect((await mtls('status')).output).toMatch(/web +\d+ STRICT /);

    const reverted = await mtls('revert', '--workload', 'orders', '--yes');
    expect(reverted.code, reverted.output).toBe(0);
    expect(await callInPlaintext(port, stranger)).toBe(200);
    expect((await mtls('status')).output).toMatch(/web +\d+ STRICT /);

    const tallies = await started.endLoad();
    for (const { kind, requests, failures } of tallies) {
      expect(failures, kind).toEqual([]);
      expect(requests, kind).toBeGreaterThan(50);
    }
    const { items } = await mesh.server.app.store.audit.find({ limit: 1000 });
    const told = items.toReversed().map(({ action, subject }) => `${action} ${subject.split(':')[0]}`);
    const steps = (count: number) => Array.from({ length: count }, () => 'mtls.enforce.step server');
    expect(told.filter((each) => each.startsWith('mtls.'))).toEqual([
      'mtls.enforce.start local',
      ...steps(3),
      'mtls.enforce.halt server',
      'mtls.enforce.start local',
      ...steps(1),
      'mtls.enforce.auto-revert server',
      'mtls.enforce.start local',
      // Draining, asked, observing, settling, drained and done, of each of the two.
      ...steps(12),
      'mtls.enforce.done server',
      'mtls.revert local',
    ]);
  }, 240_000);
});
