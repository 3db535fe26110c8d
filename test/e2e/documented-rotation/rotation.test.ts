import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { TestAuthority } from '../../fakes/test-authority.ts';
import { waitFor } from '../../parts/index.ts';
import { tlsCall } from '../revocation/fixture.ts';
import { documented, scenariosOf, sections } from './scenarios.ts';
import { givenRoot, importedRoot, movedServer } from './servers.ts';
import {
  aborted,
  allUse,
  ann,
  inPhase,
  keepAsking,
  phaseOf,
  placeOf,
  short,
  startCalls,
  statusOf,
} from './world.ts';

const { scenario, complete } = scenariosOf(sections.rotation);

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
    await canary.run(place, 'citadel rotate plan --canary 5%', {
      stdout: /^canary +until .*chosen by 5%[^]*--canary '5%'/m,
    });
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
    ['To a root of your own PKI, and back'],
    async (section) => {
      const given = section('To a root of your own PKI, and back');
      await using named = await givenRoot();
      const place = placeOf(named.server);
      await given.run(place, 'citadel rotate rehearse --from', { stdout: /sign a CRL +done/ });
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

  /** Scripts that run for long: the test that runs a short form of them, and as what. */
  const shortForms: Readonly<Record<string, string>> = {
    'scripts/demo-root-rotation': "runDemo('root-rotation.ts'",
    'scripts/soak-rotation': "runDemo('soak-rotation.ts'",
    'scripts/drill-taint': "runDemo('drill-taint.ts'",
    'scripts/crash-rotation': "runDemo('crash-rotation.ts'",
  };
  const scripts = 'Seen to hold';
  test.each(documented.get(scripts) ?? [])('%s has a short form in the suite', (line) => {
    const soaks = readFileSync(join(import.meta.dirname, '../main-job/soaks.test.ts'), 'utf8');
    expect(soaks).toContain(shortForms[line.split(' ')[0] ?? ''] ?? `a short form of ${line}`);
  });

  test('are all in a section that is run', () => {
    expect([...documented.keys()].toSorted()).toStrictEqual(Object.values(sections).flat().toSorted());
  });
  complete();
});
