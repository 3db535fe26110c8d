import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { TestAuthority } from '../../fakes/test-authority.ts';
import { exchange, freePort, hasPart, waitFor } from '../../parts/index.ts';
import { startApplication, startTestMesh, type TestMesh } from '../../support/mesh.ts';
import { callersOf, registryText } from '../../support/registry.ts';
import { newRequest, type TestServer } from '../../support/server.ts';
import { tlsCall } from '../revocation/fixture.ts';
import { documentedCommands, openSection, type Place, type Section } from './documented-commands.ts';
import { expiredServer, givenRoot, importedRoot, machines, movedServer } from './documented-servers.ts';

const documented = documentedCommands('rotation.md');
const claimed: string[] = [];

const withEnvoys = test.skipIf(!hasPart('envoy'));

/** A test that runs all commands of these sections. */
function scenario<const Title extends string>(
  titles: readonly Title[],
  play: (section: (title: Title) => Section) => Promise<void>,
  run: typeof withEnvoys | typeof test.concurrent = withEnvoys,
): void {
  claimed.push(...titles);
  run(
    titles.join(', '),
    async () => {
      const opened: Section[] = [];
      await play((title) => {
        const section = openSection(title, documented.get(title) ?? []);
        opened.push(section);
        return section;
      });
      expect(opened).toHaveLength(titles.length);
      for (const section of opened) section.end();
    },
    240_000,
  );
}

const placeOf = ({ directory }: TestServer): Place => ({ directory, dataDirectory: directory });
const statusOf = ({ server }: TestMesh) => server.app.rotation.status();
const phaseOf = async ({ server }: { readonly server: TestServer }) =>
  (await server.app.rotation.status()).rotation?.phase;
const inPhase = (world: { readonly server: TestServer }, phase: string) =>
  waitFor(async () => (await phaseOf(world)) === phase, { deadline: 60_000, what: `phase ${phase}` });

/** `web` calls `orders`: two real Envoys, each beside an agent. */
async function startCalls(settings: Readonly<Record<string, unknown>> = {}) {
  await using building = new AsyncDisposableStack();
  const application = building.use(await startApplication('orders'));
  const [port, web] = [await freePort(), await freePort()];
  const text = registryText(
    [
      { name: 'orders', ports: [{ port, protocol: 'http', application: application.port }] },
      ...callersOf('orders', 80, { web }),
    ],
    [{ name: 'orders', ports: [{ port: 80, protocol: 'http', targetPort: port }] }],
  );
  const mesh = building.use(await startTestMesh({ registry: { 'a.yaml': text }, settings }));
  await Promise.all(['orders', 'web'].map((name) => mesh.startWorkload(name, name)));
  const calls = async () => (await exchange(`http://127.0.0.1:${web}/`)).status === 200;
  await waitFor(calls);
  const running = building.move();
  return {
    mesh,
    server: mesh.server,
    place: placeOf(mesh.server),
    port,
    calls,
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  };
}

/** A client that asks for a certificate, and never reports. */
async function silent(server: TestServer, instance: string): Promise<void> {
  const claims = { namespace: 'shop', serviceAccount: 'cron', instance };
  const token = await server.tokens.issue(claims, 'istio-ca', 600_000);
  await server.create({ csr: (await newRequest()).csr }, { token: token.reveal() });
}

/** The same, over and over. */
function keepAsking(server: TestServer, instance: string): AsyncDisposable {
  const ended = new AbortController();
  const asking = (async () => {
    while (!ended.signal.aborted) {
      await silent(server, instance);
      await setTimeout(3_000, undefined, { signal: ended.signal }).catch(() => undefined);
    }
  })();
  return {
    async [Symbol.asyncDispose]() {
      ended.abort();
      await asking;
    },
  };
}

const ann = { by: 'operator:ann', proof: 'client-certificate', reason: 'the scenario is over' };

async function aborted({ server }: { readonly server: TestServer }): Promise<void> {
  const { rotation } = server.app;
  const present = await rotation.current();
  if (present) await rotation.abort({ ...ann, phase: present.phase });
  await waitFor(async () => (await rotation.current()) === undefined, { deadline: 60_000 });
}

const allUse = (mesh: TestMesh, count = 2) =>
  waitFor(
    async () =>
      (await statusOf(mesh)).gate?.standings.filter(({ standing }) => standing === 'inUse').length === count,
    { deadline: 60_000, what: 'all to be seen to use the bundle' },
  );

const short = { certificate: { defaultTtl: '20s', maximumTtl: '20s', notBeforeSkew: '1s' } };

describe('the commands of docs/rotation.md', () => {
  scenario(
    ['Before the first command', 'Planned', 'Who cannot report', 'Watching', 'By force'],
    async (section) => {
      const before = section('Before the first command');
      const planned = section('Planned');
      const words = section('Who cannot report');
      const watching = section('Watching');
      const force = section('By force');
      await using world = await startCalls(short);
      const { mesh, server, place, calls } = world;
      await before.run(place, 'export CITADEL_SOCKET=');
      await before.run(place, 'citadel check');
      await before.run(place, 'citadel rotate status', { stdout: /^no rotation yet/ });

      await planned.run(place, 'citadel rotate rehearse', { stdout: /destroy/ });
      const { stdout } = await planned.run(place, 'citadel rotate plan', { stdout: /^from / });
      const TOKEN = /--plan (\S+)/.exec(stdout)?.[1] ?? '';
      await planned.run(place, 'citadel rotate start --plan', {
        put: { TOKEN },
        stdout: /^phase +distribute/m,
      });
      const watched = watching.run(place, 'citadel rotate status --watch', { stdout: /done/ });
      await using _cron = keepAsking(server, 'cron-1');
      await planned.run(place, 'citadel rotate status', { stdout: /^next +citadel rotate continue/m });
      await allUse(mesh);
      await watching.run(place, 'citadel rotate status --standing', { stdout: /sa\/cron/ });
      const KEY = (await statusOf(mesh)).gate?.unproven[0]?.proxy.proxyKey ?? '';
      await words.run(place, 'citadel rotate excuse', { put: { KEY } });
      await planned.run(place, 'citadel rotate continue', { stdout: /^phase +drain/m });
      await waitFor(async () => (await statusOf(mesh)).gate?.open, { deadline: 60_000 });
      await planned.run(place, 'citadel rotate continue', { stdout: /^phase +(retire|done)/m });
      await watched;
      await watching.run(place, 'citadel audit list --action', { stdout: /rotation\.drain/ });
      expect(await phaseOf(world)).toBe('done');
      expect(await calls()).toBe(true);

      await using _other = keepAsking(server, 'cron-2');
      await force.run(place, 'citadel rotate start', { stdout: /^phase +distribute/m });
      await allUse(mesh);
      await force.run(place, 'citadel rotate status', { stdout: /sa\/cron/ });
      await force.run(place, 'citadel rotate continue --force', {
        stdout: /^phase +drain/m,
        stderr: /By force, against [1-9]\d* proxies[^]*sa\/cron/,
      });
      await force.run(place, 'citadel rotate continue --force', {
        stdout: /^phase +(retire|done)/m,
        stderr: /By force, against \d+ proxies and [1-9]\d* certificates/,
      });
      await inPhase(world, 'retire');
      await force.run(place, 'citadel rotate continue --force', { stdout: /^phase +done/m });
      expect(server.app.authority.bundle().authorities).toHaveLength(1);
      await waitFor(calls, { deadline: 60_000 });
      await inPhase(world, 'done');
    },
  );

  scenario(['Canary', 'Back', 'To another algorithm', 'Cross-signing'], async (section) => {
    const canary = section('Canary');
    const back = section('Back');
    const algorithm = section('To another algorithm');
    const cross = section('Cross-signing');
    await using world = await startCalls({ experimental: { mlDsaAuthorities: true } });
    const { place, port, server, calls } = world;
    await canary.run(place, 'citadel rotate start --canary 5%', { stdout: /^phase +canary/m });
    await aborted(world);
    await canary.run(place, 'citadel rotate start --canary namespace=', { stdout: /^phase +canary/m });
    await allUse(world.mesh);
    const stranger = await TestAuthority.create('example.org');
    const { chainPem, keyPem } = await stranger.issueServing({
      uris: ['spiffe://example.org/ns/shop/sa/web'],
    });
    await tlsCall(port, { chainPem: chainPem.join(''), privateKeyPem: keyPem });
    const halted = async () => (await statusOf(world.mesh)).gate?.canary?.halted ?? [];
    await waitFor(async () => (await halted()).length > 0, { deadline: 60_000, what: 'the halt' });
    await canary.run(place, 'citadel rotate status', {
      stdout: /the canary is HALTED by 1 of its proxies/,
    });
    const KEY = (await halted())[0]?.proxy.proxyKey ?? '';
    await canary.run(place, 'citadel rotate excuse', { put: { KEY } });
    expect(await halted()).toStrictEqual([]);
    await canary.run(place, 'citadel rotate continue --force', { stdout: /^phase +distribute/m });
    await canary.run(place, 'citadel rotate abort', { stdout: /^phase +(undo|aborted)/m });
    await inPhase(world, 'aborted');

    await algorithm.run(place, 'citadel rotate start --algorithm ecdsa-p384', { stdout: /ecdsa-p384/ });
    await back.run(place, 'citadel rotate abort', { stdout: /^phase +(undo|aborted)/m });
    await inPhase(world, 'aborted');
    await algorithm.run(place, 'citadel rotate start --algorithm ml-dsa-65', { stdout: /ml-dsa-65/ });
    await aborted(world);
    await cross.run(place, 'citadel rotate start --cross-sign', { stdout: /cross-signed/ });
    await aborted(world);
    expect(await calls()).toBe(true);
    expect(server.app.authority.bundle().authorities).toHaveLength(1);
  });

  scenario(
    ['A certificate is stolen', 'An issuing key is compromised', "The root's key is compromised"],
    async (section) => {
      const certificate = section('A certificate is stolen');
      const issuing = section('An issuing key is compromised');
      const root = section("The root's key is compromised");
      await using world = await startCalls();
      const { place, server, calls, mesh } = world;
      const { authority } = server.app;
      const first = authority.issuer().record;
      const listed = await certificate.run(place, 'citadel certificate list --spiffe-id', {
        stdout: /sa\/web/,
      });
      const SERIAL = /^[0-9a-f]{16,}/m.exec(listed.stdout)?.[0] ?? '';
      await certificate.run(place, 'citadel certificate revoke SERIAL', {
        put: { SERIAL },
        stdout: /^1 certificate revoked/,
      });
      await certificate.run(place, 'citadel certificate revoke spiffe://', { stdout: /revoked/ });
      await certificate.run(place, 'citadel certificate revoke --issuer', {
        put: { ID: first.id },
        stdout: /revoked/,
      });
      await certificate.run(place, 'citadel certificate revocations', { stdout: /enforcement/ });
      await waitFor(calls, { deadline: 60_000, what: 'the robbed to be back' });

      const put = { ID: first.id, FINGERPRINT: first.fingerprint };
      await issuing.run(place, 'citadel authority list', { stdout: new RegExp(first.id) });
      await issuing.run(place, 'citadel authority taint', { put, stdout: /is tainted/ });
      await issuing.run(place, 'citadel authority show', { put });
      await issuing.run(place, 'citadel certificate list --issuer', { put });
      await issuing.run(place, 'citadel authority revoke', { put, stdout: /revoked/ });
      await waitFor(calls, { deadline: 60_000 });

      const { rootFingerprint: old, id } = authority.issuer().record;
      await root.run(place, 'citadel rotate start', { stdout: /^phase +distribute/m });
      await allUse(mesh);
      await root.run(place, 'citadel rotate status');
      await root.run(place, 'citadel rotate continue --force', { stdout: /^phase +drain/m });
      await root.run(place, 'citadel authority list', { stdout: new RegExp(id) });
      await root.run(place, 'citadel authority taint ID', { put: { ID: id } });
      const ROOT = authority.records().find(({ fingerprint }) => fingerprint === old)?.id ?? '';
      await root.run(place, 'citadel authority taint ROOT', { put: { ROOT } });
      const drains = async () =>
        (await server.app.store.audit.find({ action: 'connections.drain', limit: 100 })).items.length;
      const drained = await drains();
      await root.run(place, 'citadel authority revoke ROOT', { put: { ROOT }, stdout: /revoked/ });
      expect(authority.bundle().authorities).toHaveLength(1);
      await waitFor(async () => (await drains()) > drained, { what: 'open connections to be ended' });
      await root.run(place, 'citadel rotate status --watch', { stdout: /^phase +done|done/m });
      expect(authority.records().find(({ fingerprint }) => fingerprint === old)?.state).toBe('retired');
      await root.run(place, 'citadel bundle show');
      await waitFor(calls, { deadline: 60_000 });
    },
  );

  scenario(
    ['To a root of your own PKI, and back'],
    async (section) => {
      const given = section('To a root of your own PKI, and back');
      await using named = await givenRoot();
      const place = placeOf(named.server);
      await given.run(place, 'citadel rotate plan --from', { stdout: /^from [^]*\nto +[0-9a-f]{16}, / });
      await given.run(place, 'citadel rotate start --from', { stdout: /^phase +distribute/m });
      expect(named.server.app.authority.bundle().authorities).toHaveLength(2);
      await aborted(named);
      await given.run(place, 'citadel authority import', { stdout: /^phase +distribute/m });
    },
    test.concurrent,
  );

  scenario(
    ["The old root's key"],
    async (section) => {
      const key = section("The old root's key");
      await using imported = await importedRoot();
      await imported.server.app.rotation.start({ ...ann, oldRoot: imported.root });
      await imported.server.app.rotation.continue({ ...ann, phase: 'distribute', force: true });
      await key.run(placeOf(imported.server), 'citadel rotate continue --destroy-imported-key', {
        stdout: /destroyKey/,
      });
      await using moved = await movedServer();
      await moved.server.app.rotation.start({ ...ann, oldRoot: moved.root });
      await moved.server.app.rotation.continue({ ...ann, phase: 'distribute', force: true });
      const left = moved.server.app.rotation.continue({ ...ann, phase: 'drain', force: true });
      await expect(left).rejects.toThrow(/cannot be destroyed yet.*citadel rotate continue --leave-key/);
      await inPhase(moved, 'retire');
      await key.run(placeOf(moved.server), 'citadel rotate continue --leave-key', { stdout: /keys left/ });
      await inPhase(moved, 'done');
    },
    test.concurrent,
  );

  scenario(
    ['Everything has expired'],
    async (section) => {
      const expired = section('Everything has expired');
      await using gone = await expiredServer();
      await expired.run(gone.place, 'citadel rotate recover', { stderr: /A new root is made/ });
      await using server = await gone.start();
      await expired.run(gone.place, 'citadel bundle show');
      const bundle = readFileSync(join(gone.place.directory, 'roots.pem'), 'utf8');
      expect(bundle.match(/BEGIN/g)).toHaveLength(1);
      await silent(server, 'cron-1');
    },
    test.concurrent,
  );

  scenario(
    ['Make one', 'A machine is lost', 'The record disagrees'],
    async (section) => {
      const make = section('Make one');
      const restore = section('A machine is lost');
      const record = section('The record disagrees');
      await using first = await machines();
      const identity = await make.run(first.place, 'citadel backup keygen', { stdout: /^age1/ });
      await using source = await first.start(identity.stdout.trim());
      await make.run(first.place, 'citadel backup create', { stdout: /sha256/ });
      await make.run(first.place, 'citadel backup verify', { stdout: /AUTHORITY/ });
      await silent(source, 'cron-1');
      const KEY = (await record.run(first.place, 'citadel log show --format key')).stdout.trim();
      await record.run(first.place, 'citadel log show', { stdout: /PLACE/ });
      await record.run(first.place, 'citadel log verify', { put: { KEY: `'${KEY}'` } });
      await source.stop();

      const second = await first.another();
      await restore.run(second.place, 'citadel backup restore');
      await expect(second.start()).rejects.toThrow(/nothing that is missing takes anything back/);
      await restore.run(second.place, 'citadel log accept', { stdout: /^Accepted, as entry/ });
      await using restored = await second.start();
      await restore.run(second.place, 'citadel check');
      await silent(restored, 'cron-2');
      await restored.stop();
      await record.run(second.place, 'citadel log verify --key', { put: { KEY: `'${KEY}'` }, code: 1 });
      await record.run(second.place, 'citadel log accept', { stdout: /nothing to accept/ });
    },
    test.concurrent,
  );

  /** Scripts that run for long: the test that runs a short form of them, and as what. */
  const shortForms: Readonly<Record<string, string>> = {
    'scripts/demo-root-rotation': "runDemo('root-rotation.ts'",
    'scripts/soak-rotation': "runDemo('soak-rotation.ts'",
    'scripts/drill-taint': "runDemo('drill-taint.ts'",
    'scripts/crash-rotation': "runDemo('crash-rotation.ts'",
  };
  const scripts = 'Seen to hold';
  claimed.push(scripts);
  test.each(documented.get(scripts) ?? [])('%s has a short form in the suite', (line) => {
    const soaks = readFileSync(join(import.meta.dirname, '../main-job/soaks.test.ts'), 'utf8');
    expect(soaks).toContain(shortForms[line.split(' ')[0] ?? ''] ?? `a short form of ${line}`);
  });

  test('are all run by a scenario of their section', () => {
    expect([...documented.keys()].toSorted()).toStrictEqual(claimed.toSorted());
  });
});
