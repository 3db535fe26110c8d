import { connect } from 'node:tls';
import { trustDomain } from '../../fakes/ads-server.ts';
import type { IdentityFiles } from './fixture.ts';

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

/** One for each name that a bundle has by ADS, named by it. */
export const echoListeners = ({ cert, key }: IdentityFiles, domain = trustDomain) =>
  ['ROOTCA', 'ALL', `spiffe://${domain}`].map((name) => {
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
export function hear(
  port: number,
  client: { readonly chainPem: string; readonly keyPem: string },
): Promise<string> {
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
