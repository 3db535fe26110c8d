import { isIP } from 'node:net';
import { serverCluster } from '../../domain/ports/index.ts';
import { agentTlsContext } from '../envoy/bootstrap.ts';
import type { JsonObject } from '../envoy/json.ts';

export interface ControlPlaneOptions {
  /** `host:port`, as the agent calls the server. */
  readonly address: { readonly host: string; readonly port: number };
  /** The name that the server's certificate must have. */
  readonly serverName: string;
  /** Tells workloads with the same identity apart, where no platform does. */
  readonly workloadName?: string;
}

/**
 * What the server may send before it is read. Envoy's own 256 MiB are for bulk: a Node server keeps, for as long as the
 * connection lasts, a buffer as large as the most that it ever wrote to it at once. It is the least that Envoy takes.
 */
const windowBytes = 65_535;

/**
 * What has an Envoy ask the server for its configuration, over mutual TLS with the certificate that the agent keeps.
 * The connection is ended by the server when the certificate of its handshake ends.
 */
export function controlPlaneBootstrap({ address, serverName }: ControlPlaneOptions): {
  readonly cluster: JsonObject;
  readonly dynamicResources: JsonObject;
} {
  const source: JsonObject = {
    resource_api_version: 'V3',
    ads: {},
    // Nothing is served on half of a configuration: Envoy waits for all that it was told of.
    initial_fetch_timeout: '0s',
  };
  return {
    dynamicResources: {
      ads_config: {
        api_type: 'DELTA_GRPC',
        transport_api_version: 'V3',
        grpc_services: [{ envoy_grpc: { cluster_name: serverCluster } }],
        set_node_on_first_message_only: true,
      },
      lds_config: source,
      cds_config: source,
    },
    cluster: {
      name: serverCluster,
      type: isIP(address.host) === 0 ? 'STRICT_DNS' : 'STATIC',
      connect_timeout: '5s',
      typed_extension_protocol_options: {
        'envoy.extensions.upstreams.http.v3.HttpProtocolOptions': {
          '@type': 'type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions',
          explicit_http_config: {
            http2_protocol_options: {
              connection_keepalive: { interval: '30s', timeout: '10s' },
              initial_stream_window_size: windowBytes,
              initial_connection_window_size: windowBytes,
            },
          },
        },
      },
      transport_socket: {
        name: 'envoy.transport_sockets.tls',
        typed_config: {
          '@type': 'type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext',
          sni: isIP(serverName) === 0 ? serverName : '',
          max_session_keys: 0,
          common_tls_context: {
            ...agentTlsContext([
              { san_type: isIP(serverName) === 0 ? 'DNS' : 'IP_ADDRESS', matcher: { exact: serverName } },
            ]),
            alpn_protocols: ['h2'],
          },
        },
      },
      load_assignment: {
        cluster_name: serverCluster,
        endpoints: [
          {
            lb_endpoints: [
              {
                endpoint: {
                  address: { socket_address: { address: address.host, port_value: address.port } },
                },
              },
            ],
          },
        ],
      },
    },
  };
}
