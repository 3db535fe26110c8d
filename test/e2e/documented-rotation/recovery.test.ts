import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { waitFor } from '../../parts/index.ts';
import { scenariosOf, sections } from './scenarios.ts';
import { expiredServer, machines } from './servers.ts';
import { allUse, silent, startCalls } from './world.ts';

const { scenario, complete } = scenariosOf(sections.recovery);

describe('the commands of docs/rotation.md', () => {
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
      const shown = await make.run(first.place, 'citadel log show --format key');
      const put = { KEY: `'${shown.stdout.trim()}'` };
      await make.run(first.place, 'citadel backup verify', { put, stdout: /AUTHORITY/ });
      await silent(source, 'cron-1');
      await record.run(first.place, 'citadel log show --format key');
      await record.run(first.place, 'citadel log show', { stdout: /PLACE/ });
      await record.run(first.place, 'citadel log verify', { put });
      await source.stop();

      const second = await first.another();
      await restore.run(second.place, 'citadel backup restore', { put });
      await expect(second.start()).rejects.toThrow(/nothing that is missing takes anything back/);
      await restore.run(second.place, 'citadel log accept', { stdout: /^Accepted, as entry/ });
      await using restored = await second.start();
      await restore.run(second.place, 'citadel check');
      await silent(restored, 'cron-2');
      await restored.stop();
      await record.run(second.place, 'citadel log verify --key', { put, code: 1 });
      await record.run(second.place, 'citadel log accept', { stdout: /nothing to accept/ });
    },
    test.concurrent,
  );

  complete();
});
