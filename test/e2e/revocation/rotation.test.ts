import { describe, expect, test } from 'vitest';
import { readCertificates } from '../../../src/agent/envoy/certificates-in-use.ts';
import { exchange, freePort, hasPart, waitFor } from '../../parts/index.ts';
import { type MeshWorkload, startApplication, startTestMesh } from '../../support/mesh.ts';
import { ordersAndWeb } from '../../support/registry.ts';
import { rotate, rotationStatus } from '../../support/rotating.ts';
import { citadel, type Svid, svidOf, tlsCall } from './fixture.ts';

const why = ['--yes', '--reason', 'a drill'];

/** How many roots an Envoy trusts, in each of its TLS contexts. */
async function trusted(workload: MeshWorkload): Promise<readonly number[]> {
  const contexts = readCertificates((await workload.admin('/certs')).body);
  return [...new Set(contexts.map(({ authoritySerials }) => authoritySerials.length))];
}

describe.skipIf(!hasPart('envoy'))(
  'the root is rotated while something is revoked, under real Envoys',
  () => {
    test.each(['ecdsa-p384', 'ml-dsa-65'])(
      'cross-signed and with a canary, to %s: who is revoked stays refused, and nobody else is',
      async (algorithm) => {
        await using application = await startApplication('orders');
        const [port, web] = [await freePort(), await freePort()];
        await using mesh = await startTestMesh({
          registry: {
            'a.yaml': ordersAndWeb(application.port, { port, web }),
          },
          settings: {
            experimental: { mlDsaAuthorities: true },
            // All that is asked for here comes from one address, as fast as this machine is.
            limits: { callsPerSecondPerPeer: 10_000 },
          },
        });
        const { server } = mesh;
        const orders = await mesh.startWorkload('orders', 'orders');
        const caller = await mesh.startWorkload('web', 'web');
        const call = async () => (await exchange(`http://127.0.0.1:${web}/`)).status;
        await waitFor(async () => (await call()) === 200);
        const outcome = async (svid: Svid) => (await tlsCall(port, svid)).outcome;
        const [stolen, old] = [
          await svidOf(server, 'cron', 'cron-1'),
          await svidOf(server, 'cron', 'cron-2'),
        ];
        await waitFor(async () => (await outcome(stolen)) === 'accepted');
        await citadel(server, 'certificate', 'revoke', stolen.serial, ...why);
        await waitFor(async () => (await outcome(stolen)) === 'refused');

        const wrong: string[] = [];
        const stop = new AbortController();
        const calling = (async () => {
          for (let count = 0; !stop.signal.aborted; count++) {
            const phase = (await rotationStatus(mesh)).rotation?.phase;
            const fresh = await svidOf(server, 'cron', `cron-${count % 3}`);
            if ((await outcome(fresh)) !== 'accepted') wrong.push(`${phase}: a fresh one is refused`);
            if ((await outcome(old)) !== 'accepted') wrong.push(`${phase}: the old one is refused`);
            if ((await outcome(stolen)) !== 'refused') wrong.push(`${phase}: the stolen one is accepted`);
            if ((await call()) !== 200) wrong.push(`${phase}: web cannot call orders`);
          }
        })();

        // By force: who calls here cannot report.
        const canary = ['--canary', 'sa=web', '--watch', '1s', '--cross-sign', '--force'];
        expect(await rotate(mesh, 'start', '--algorithm', algorithm, ...canary, ...why)).toMatchObject({
          code: 0,
        });
        await waitFor(async () => (await trusted(caller)).includes(2));
        expect(await trusted(orders)).toStrictEqual([1]);
        await waitFor(async () => (await rotationStatus(mesh)).gate?.open, { deadline: 60_000 });
        expect(await rotate(mesh, 'continue', ...why)).toMatchObject({ code: 0 });
        await waitFor(async () => (await trusted(orders)).includes(2));
        expect(await rotate(mesh, 'continue', '--force', ...why)).toMatchObject({ code: 0 });
        const second = await waitFor(
          async () => {
            const fresh = await svidOf(server, 'cron', 'cron-4');
            return fresh.issuer !== old.issuer && fresh;
          },
          { what: 'certificates of the new authority', deadline: 60_000 },
        );
        expect(await outcome(second)).toBe('accepted');

        // What the new authority takes back, by a CRL of its own algorithm.
        await citadel(server, 'certificate', 'revoke', second.serial, ...why);
        await waitFor(async () => (await outcome(second)) === 'refused');
        expect(await outcome(await svidOf(server, 'cron', 'cron-4'))).toBe('accepted');

        // The old one's leaves are replaced at once: now both Envoys are what is verified, too.
        const issuing = server.app.authority.records().find(({ fingerprint }) => fingerprint === old.issuer);
        expect(await citadel(server, 'authority', 'taint', issuing?.id ?? '', ...why)).toMatchObject({
          code: 0,
        });
        await waitFor(
          async () => {
            const { standings = [] } = (await rotationStatus(mesh)).gate ?? {};
            const proxies = standings.filter(({ proxy }) => /sa\/(orders|web)$/.test(proxy.spiffeId));
            return proxies.length === 2 && proxies.every(({ standing }) => standing === 'inUse');
          },
          { what: 'both proxies to use certificates under the new root', deadline: 60_000 },
        );
        expect(await call()).toBe(200);
        stop.abort();
        await calling;
        expect(wrong).toStrictEqual([]);
        expect(await outcome(stolen)).toBe('refused');
      },
      180_000,
    );
  },
);
