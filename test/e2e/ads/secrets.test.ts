import { connect } from 'node:tls';
import { describe, expect, test } from 'vitest';
import { trustDomain } from '../../fakes/ads-server.ts';
import { TestAuthority } from '../../fakes/test-authority.ts';
import { hasPart, waitFor } from '../../parts/index.ts';
import { startTrustServer } from '../../support/ads-trust.ts';
import { adsEnvoy, type IdentityFiles } from './fixture.ts';

/** Echoes to whoever has a certificate that the bundle knows, which comes by ADS. */
const echo = (secret: string) => ({
  name: secret,
  address: { socket_address: { address: '127.0.0.1', port_value: 0 } },
  filter_chains: [
    {
      filters: [
        {
          name: 'envoy.filters.network.echo',
          typed_config: { '@type': 'type.googleapis.com/envoy.extensions.filters.network.echo.v3.Echo' },
        },
      ],
    },
  ],
});

const listeners = ({ cert, key }: IdentityFiles) =>
  ['ROOTCA', 'ALL', `spiffe://${trustDomain}`].map((name) => {
    const { filter_chains, ...listener } = echo(name);
    const transport_socket = {
      name: 'envoy.transport_sockets.tls',
      typed_config: {
        '@type': 'type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext',
        require_client_certificate: true,
        common_tls_context: {
          tls_certificates: [{ certificate_chain: { filename: cert }, private_key: { filename: key } }],
          validation_context_sds_secret_config: {
            name,
            sds_config: { ads: {}, resource_api_version: 'V3', initial_fetch_timeout: '0s' },
          },
        },
      },
    };
    return { ...listener, filter_chains: filter_chains.map((chain) => ({ ...chain, transport_socket })) };
  });

/** What a caller hears of its own words; nothing where it is refused. */
function hear(port: number, client: { readonly chainPem: string; readonly keyPem: string }): Promise<string> {
  return new Promise((resolve) => {
    let heard = '';
    // The name is a SPIFFE ID, which Node does not check.
    const tls = { rejectUnauthorized: false, cert: client.chainPem, key: client.keyPem };
    const socket = connect({ host: '127.0.0.1', port, ...tls });
    socket.on('data', (data: Buffer) => {
      heard += data.toString();
      socket.end();
    });
    socket.write('hello');
    socket.on('error', () => socket.destroy());
    socket.once('close', () => resolve(heard));
  });
}

describe.skipIf(!hasPart('envoy')).each(['GRPC', 'DELTA_GRPC'] as const)('a real Envoy by %s', (api) => {
  test('knows callers by bundles that come by ADS, and by the next one once it changes', async () => {
    await using trusting = await startTrustServer();
    const { server } = trusting;
    const own = await server.identity();
    const elsewhere = await TestAuthority.create(trustDomain, 'another root');
    const issued = await elsewhere.issueServing({ uris: [`spiffe://${trustDomain}/ns/shop/sa/cron`] });
    const other = { chainPem: issued.chainPem.join(''), keyPem: issued.keyPem };
    await using envoy = await adsEnvoy(server, own, api, listeners);
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
