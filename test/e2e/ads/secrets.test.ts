import { describe, expect, test } from 'vitest';
import { trustDomain } from '../../fakes/ads-server.ts';
import { TestAuthority } from '../../fakes/test-authority.ts';
import { hasPart, waitFor } from '../../parts/index.ts';
import { startTrustServer } from '../../support/ads-trust.ts';
import { adsEnvoy } from './fixture.ts';
import { echoListeners, hear } from './trusting.ts';

describe.skipIf(!hasPart('envoy')).each(['GRPC', 'DELTA_GRPC'] as const)('a real Envoy by %s', (api) => {
  test('knows callers by bundles that come by ADS, and by the next one once it changes', async () => {
    await using trusting = await startTrustServer();
    const { server } = trusting;
    const own = await server.identity();
    const elsewhere = await TestAuthority.create(trustDomain, 'another root');
    const issued = await elsewhere.issueServing({ uris: [`spiffe://${trustDomain}/ns/shop/sa/cron`] });
    const other = { chainPem: issued.chainPem.join(''), keyPem: issued.keyPem };
    await using envoy = await adsEnvoy(server, own, api, (files) => echoListeners(files));
    await envoy.waitLive();
    const ports = await Promise.all(
      ['ROOTCA', 'ALL', `spiffe://${trustDomain}`].map((name) => envoy.listenerPort(name)),
    );
    const heard = (client: typeof other) => Promise.all(ports.map((port) => hear(port, client)));
    await waitFor(async () => (await heard(own)).join() === 'hello,hello,hello', {
      what: 'the listeners to serve',
    });
    expect(await heard(other)).toEqual(['', '', '']);

    trusting.trust(server.rootPem, elsewhere.rootPem);
    await waitFor(async () => (await heard(other)).join() === 'hello,hello,hello', {
      what: 'the new root to count',
    });
    expect(await heard(own)).toEqual(['hello', 'hello', 'hello']);
    trusting.trust(elsewhere.rootPem);
    await waitFor(async () => (await heard(own)).join() === ',,', { what: 'the old root to count no more' });
  });
});
