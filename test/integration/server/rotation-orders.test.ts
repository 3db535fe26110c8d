import { randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { createMetrics } from '../../../src/adapters/metrics/index.ts';
import { systemClock } from '../../../src/kernel/index.ts';
import { startProcess, type TemporaryDirectory, temporaryDirectory, waitFor } from '../../parts/index.ts';
import { runCitadel } from '../../support/citadel.ts';
import { newRequest, startTestServer, type TestServer } from '../../support/server.ts';

// Proxies that report are in test/e2e/mesh/root-rotation.test.ts; here are clients that hold certificates and say nothing.
let temporary: TemporaryDirectory;
let server: TestServer;
const metrics = createMetrics(systemClock, { process: false });

const start = () =>
  startTestServer(
    {
      keys: { disk: { encryption: { keyFile: join(temporary.path, 'key') } } },
      certificate: { defaultTtl: '2m', maximumTtl: '2m', notBeforeSkew: '1s' },
    },
    { directory: temporary.path, metrics },
  );

beforeAll(async () => {
  temporary = await temporaryDirectory();
  writeFileSync(join(temporary.path, 'key'), randomBytes(32), { mode: 0o600 });
  server = await start();
});
afterEach(() => ended());
afterAll(async () => {
  await server.stop();
  await temporary[Symbol.asyncDispose]();
});

const program = join(import.meta.dirname, '../../../scripts/citadel');
const socket = () => ['--socket', join(temporary.path, 'operator.sock')];
const rotate = (...args: readonly string[]) =>
  runCitadel(['rotate', ...args, '--timeout', '25s', ...socket()], {
    directory: temporary.path,
    home: 'home',
  });
const order = (...args: readonly string[]) => rotate(...args, '--yes', '--reason', 'ticket 7');
const board = async (...args: readonly string[]) =>
  JSON.parse((await rotate('status', '-o', 'json', ...args)).stdout);
const phase = async () => (await server.app.rotation.status()).rotation?.phase;
const audited = async (action: string) =>
  (await server.app.store.audit.find({ action, limit: 100 })).items.length;

async function issue(instance: string) {
  const claims = { namespace: 'shop', serviceAccount: 'cron', instance };
  const token = await server.tokens.issue(claims, 'istio-ca', 600_000);
  await server.create({ csr: (await newRequest()).csr }, { token: token.reveal() });
}

/** Ends a rotation that a test has left, so that none depends on the one before it. */
async function ended() {
  await waitFor(
    async () => {
      const { rotation } = server.app;
      const present = await rotation.current();
      if (!present) return true;
      const ann = { by: 'operator:ann', proof: 'none', reason: 'the test is over' };
      if (present.phase !== 'undo' && present.phase !== 'retire')
        await rotation.abort({ ...ann, phase: present.phase });
      if (present.phase === 'retire') await rotation.continue({ ...ann, phase: 'retire', force: true });
      return false;
    },
    { deadline: 30_000 },
  );
}

describe('citadel rotate, on a real server', () => {
  it('shows a plan and its token; a start is refused with what has changed since', async () => {
    await issue('cron-plan');
    const shown = await rotate('plan', '--algorithm', 'ecdsa-p384', '--lifetime', '100h');
    expect(shown.stdout).toMatch(/^from {8}[0-9a-f]{16}, ecdsa-p256, its key in disk, until 20/);
    expect(shown.stdout).toMatch(/\nto {10}a new root, ecdsa-p384, its key in disk/);
    expect(shown.stdout).toMatch(
      /\ndistribute {2}until .*\ndrain {7}until .*\nretire {6}until .*\nends {8}20/,
    );
    expect(shown.stdout).toContain('1 clients cannot report what they use');
    const [, token = ''] = /--plan (\S+)/.exec(shown.stdout) ?? [];
    const plan = JSON.parse(
      (await rotate('plan', '--algorithm', 'ecdsa-p384', '--lifetime', '100h', '-o', 'json')).stdout,
    );
    // Time went by, and nothing that counts has changed.
    expect(plan.token).toBe(token);

    const otherwise = await order('start', '--plan', token);
    expect(otherwise).toMatchObject({ code: 69, stderr: expect.stringContaining('(by now: ecdsa-p256)') });
    const issuing = server.app.authority.issuer().record.id;
    await runCitadel(['authority', 'taint', issuing, '--yes', '--reason', 'a drill', ...socket()], {
      directory: temporary.path,
      home: 'home',
    });
    const wanted = ['--algorithm', 'ecdsa-p384', '--lifetime', '100h'];
    const late = await order('start', ...wanted, '--plan', token);
    expect(late.code).toBe(69);
    expect(late.stderr).toMatch(/what has changed: the issuing authorities \(by now: [0-9a-f]{16} active/);
    expect(await order('start', ...wanted, '--plan', 'nonsense')).toMatchObject({ code: 64 });
    expect(await audited('rotation.start')).toBe(0);
    expect(await phase()).toBeUndefined();

    const started = await order('start', ...wanted);
    expect(started.code).toBe(0);
    expect(started.stdout).toContain('(ecdsa-p384)');
  }, 180_000);

  it('refuses a second rotation, a wrong order and an early end, each with its reason', async () => {
    const { rotation } = server.app;
    const { activeRoot } = await rotation.status();
    for (const [early, ...more] of [['continue'], ['abort'], ['excuse', 'nobody']])
      expect(await order(early ?? '', ...more)).toMatchObject({
        code: 2,
        stderr: expect.stringContaining('no rotation is under way'),
      });
    await issue('cron-order');
    expect((await order('start')).code).toBe(0);
    const second = await order('start');
    expect(second.code).toBe(2);
    expect(second.stderr).toMatch(/a rotation is under way since .*, begun by local:/);

    const early = await order('continue');
    expect(early.code).toBe(2);
    expect(early.stderr).toMatch(/distribute cannot end yet: .*\/sa\/cron \(\S*cron-order\S*\) is behind/);
    expect(await order('continue', '--leave-key')).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('in phase distribute'),
    });
    expect(await rotate('continue', '--force', '--yes')).toMatchObject({
      stderr: expect.stringContaining('force needs a reason'),
    });

    // Who is named breaks, before anything is asked; without a yes nothing is done.
    const asked = await rotate('continue', '--force', '--reason', 'ticket 7');
    expect(asked.code).toBe(1);
    expect(asked.stderr).toMatch(
      /By force, against \d+ proxies and 0 certificates\. Whoever does not know the new root refuses [^]*\/sa\/cron .*cron-order[^]*Nothing was done/,
    );
    expect(await phase()).toBe('distribute');

    // Two operators saw one phase: the slower one's order is of a phase that is over, and ends no other one.
    const ann = { by: 'operator:ann', proof: 'none', reason: 'it is old' };
    const both = await Promise.allSettled(
      ['ann', 'bob'].map((name) =>
        rotation.continue({ ...ann, by: `operator:${name}`, phase: 'distribute', force: true }),
      ),
    );
    expect(both.map(({ status }) => status)).toStrictEqual(['fulfilled', 'rejected']);
    expect(both[1]).toMatchObject({ reason: { code: 'Aborted' } });
    expect(await phase()).toBe('drain');
    await expect(rotation.continue({ ...ann, phase: 'retire', force: true })).rejects.toMatchObject({
      code: 'Aborted',
    });
    const retire = await order('continue');
    expect(retire.code).toBe(2);
    expect((await rotate('continue', '--force', '--reason', 'ticket 7')).stderr).toMatch(
      /and [1-9]\d* certificates\. Every certificate under the old root is refused from now on/,
    );
    expect(await phase()).toBe('drain');
    expect(retire.stderr).toContain('certificates under the old root are valid');
    expect(server.app.authority.bundle().authorities).toHaveLength(2);
    expect((await rotation.status()).activeRoot).not.toBe(activeRoot);
  }, 180_000);

  it('is a board: counts, stragglers with what to do, reasons; bounded, filtered, complete as JSON', async () => {
    for (const instance of ['cron-a', 'cron-b', 'cron-c']) await issue(instance);
    expect((await order('start')).code).toBe(0);
    const whole = await board();
    expect(whole).toMatchObject({
      phase: 'distribute',
      next: expect.stringContaining('citadel rotate continue, once nothing is missing'),
      whyNot: [expect.stringMatching(/^\d+ proxies are not seen to use/)],
      obstacle: '',
      keysLeft: [],
      algorithm: 'ecdsa-p256',
    });
    const { live } = whole.gate;
    expect(live).toBeGreaterThanOrEqual(3);
    expect(whole.gate).toMatchObject({
      open: false,
      stragglers: live,
      unproven: 0,
      matching: live,
      signing: [],
      lastRenewal: expect.stringMatching(/^20/),
    });
    expect(whole.gate.counts).toHaveLength(7);
    expect(whole.gate.counts).toContainEqual({ standing: 'behind', count: live });
    const [only, ...others] = (await board('--filter', 'cron-b')).gate.proxies;
    expect(others).toStrictEqual([]);
    expect(only).toMatchObject({
      spiffeId: 'spiffe://example.org/ns/shop/sa/cron',
      standing: 'behind',
      waited: true,
      principal: expect.stringContaining('cron-b'),
      bundleVersion: expect.stringMatching(/^[0-9a-f]{64}$/),
      whatToDo: expect.stringContaining('it learns of the bundle when it renews, by 20'),
    });
    expect((await board('--limit', '1')).gate).toMatchObject({ live, matching: live, proxies: [{}] });
    expect((await board('--standing', 'away')).gate).toMatchObject({ live, matching: 0, proxies: [] });
    const text = (await rotate('status', '--limit', '1')).stdout;
    expect(text).toMatch(/\nadoption +\[-{20}\] 0 % of \d+ live proxies: behind \d+\n/);
    expect(text).toContain(`${live - 1} more are waited for`);
    await waitFor(async () =>
      (await metrics.expose()).includes(`\ncitadel_root_rotation_proxies{standing="behind"} ${live}\n`),
    );
    expect(await metrics.expose()).toContain('\ncitadel_root_rotation_phase{phase="distribute"} 1\n');
    expect((await rotate('status', '--standing', 'nonsense')).code).toBe(64);
    expect((await rotate('status', '--limit', '1001')).code).toBe(64);
  }, 180_000);

  it('redraws the board on a terminal', async () => {
    expect((await order('start')).code).toBe(0);
    const command = [program, 'rotate', 'status', '--watch', ...socket()].join(' ');
    // script (util-linux) gives the command a terminal.
    await using terminal = await startProcess('script', ['-qec', command, '/dev/null'], { stdin: 'pipe' });
    await waitFor(() => terminal.stdout().includes('started'));
    expect(terminal.stdout()).toContain('\u001b[H\u001b[2J');
    expect(terminal.stdout()).toMatch(/next +citadel rotate continue/);
    expect((await order('abort')).code).toBe(0);
    expect(await terminal.exited).toMatchObject({ code: 1 });
    expect(terminal.stdout()).toMatch(/phase +aborted since/);
  }, 180_000);

  it('is watched until its end, over a restart of the server, and left by Ctrl-C', async () => {
    expect((await order('start')).code).toBe(0);
    await using watch = await startProcess(program, ['rotate', 'status', '--watch', ...socket()]);
    await using json = await startProcess(program, [
      'rotate',
      'status',
      '--watch',
      '-o',
      'json',
      ...socket(),
    ]);
    await using left = await startProcess(program, ['rotate', 'status', '--watch', ...socket()]);
    await Promise.all([watch.line(/^20\S+Z distribute/), json.line(/^\{.*"phase":"distribute"/)]);
    await left.line(/distribute/);
    left.kill('SIGINT');
    expect(await left.exited).toMatchObject({ code: 1 });
    expect(left.stderr()).toContain('citadel rotate status');
    await server.stop();
    server = await start();
    const { rotation } = server.app;
    const ann = { by: 'operator:ann', proof: 'none', reason: 'it is old' };
    await rotation.continue({ ...ann, phase: 'distribute', force: true });
    await watch.line(/Z drain/);
    await rotation.continue({ ...ann, phase: 'drain', force: true });
    await waitFor(async () => (await phase()) !== 'drain');
    if ((await phase()) === 'retire') await rotation.continue({ ...ann, phase: 'retire', force: true });
    expect(await watch.exited).toMatchObject({ code: 0 });
    expect(await json.exited).toMatchObject({ code: 0 });
    expect(watch.stdout().trimEnd().split('\n').at(-1)).toMatch(/Z done$/);

    expect((await order('start')).code).toBe(0);
    await using undone = await startProcess(program, ['rotate', 'status', '--watch', ...socket()]);
    await undone.line(/distribute/);
    expect((await order('abort')).code).toBe(0);
    expect(await undone.exited).toMatchObject({ code: 1 });
    expect(undone.stdout()).toMatch(/Z aborted$/);
  }, 180_000);
});
