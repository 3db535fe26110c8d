import { describe, expect, test } from 'vitest';
import { hasPart, waitFor } from '../../parts/index.ts';
import { startTestMesh } from '../../support/mesh.ts';
import { registryText } from '../../support/registry.ts';
import { adsEnvoy } from '../ads/fixture.ts';
import { echoListeners, hear } from '../ads/trusting.ts';
import { citadel, type Svid, svidOf } from './fixture.ts';

describe.skipIf(!hasPart('envoy')).each(['GRPC', 'DELTA_GRPC'] as const)(
  'an Envoy that takes its bundle by discovery (%s)',
  (api) => {
    test('refuses what is revoked, where its validator knows CRLs', async () => {
      await using mesh = await startTestMesh({ registry: { 'a.yaml': registryText([{ name: 'web' }]) } });
      const { server } = mesh;
      const { app } = server;
      const named = async (instance: string) => {
        const { privateKeyPem, ...svid } = await svidOf(server, 'web', instance);
        return { ...svid, keyPem: privateKeyPem };
      };
      const [own, stolen, good] = [await named('web-1'), await named('web-2'), await named('web-3')];
      const address = { listener: app.csr, rootPem: app.authority.bundle().pem };
      await using envoy = await adsEnvoy(address, own, api, (files) => echoListeners(files, 'example.org'));
      await envoy.waitLive();
      const port = async (name: string) => envoy.listenerPort(name);
      const [rootca, all] = [await port('ROOTCA'), await port('ALL')];
      const heard = async (svid: Pick<Svid, 'chainPem'> & { readonly keyPem: string }) =>
        [await hear(rootca, svid), await hear(all, svid)].join();
      await waitFor(async () => (await heard(stolen)) === 'hello,hello', { what: 'the listeners to serve' });

      await citadel(server, 'certificate', 'revoke', stolen.serial, '--yes', '--reason', 'stolen');
      // The SPIFFE validator goes on to take it.
      await waitFor(async () => (await heard(stolen)) === ',hello', {
        what: 'the certificate to be refused',
      });
      expect(await heard(good)).toBe('hello,hello');

      // The next authority's CRL is there before its first certificate.
      const { id } = app.authority.issuer().record;
      await citadel(server, 'authority', 'taint', id, '--yes', '--reason', 'copied');
      await waitFor(() => app.authority.issuer().record.id !== id, { deadline: 30_000 });
      expect(await heard(await named('web-4'))).toBe('hello,hello');
      expect(await heard(good)).toBe('hello,hello');
      expect(await heard(stolen)).toBe(',hello');
    }, 60_000);
  },
);
