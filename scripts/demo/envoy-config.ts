import { downstreamTlsContext, type JsonObject, upstreamTlsContext } from '../../src/agent/index.ts';

export interface HttpListener {
  readonly name: string;
  readonly port: number;
  readonly cluster: string;
  /** Mutual TLS with callers of this trust domain; plaintext without it. */
  readonly trustDomain?: string;
}

export interface HttpCluster {
  readonly name: string;
  readonly port: number;
  /** Mutual TLS with exactly this callee; plaintext without it. */
  readonly spiffeId?: string;
  /** Requests on one connection; 1 makes a full handshake for each. */
  readonly requestsPerConnection?: number;
}

/** A whole bootstrap but for what `citadel agent --exec` adds: node, admin and the agent's cluster. */
export function envoyConfig(
  listeners: readonly HttpListener[],
  clusters: readonly HttpCluster[],
): JsonObject {
  return {
    static_resources: { listeners: listeners.map(listenerConfig), clusters: clusters.map(clusterConfig) },
  };
}

/** What the callee saw of its caller, told to the caller in the answer's headers. */
const seenByCallee: Readonly<Record<string, string>> = {
  'x-client-id': '%DOWNSTREAM_PEER_URI_SAN%',
  'x-client-serial': '%DOWNSTREAM_PEER_SERIAL%',
  'x-client-begins': '%DOWNSTREAM_PEER_CERT_V_START%',
  'x-client-ends': '%DOWNSTREAM_PEER_CERT_V_END%',
  'x-server-id': '%DOWNSTREAM_LOCAL_URI_SAN%',
  'x-tls': '%DOWNSTREAM_TLS_VERSION% %DOWNSTREAM_TLS_CIPHER%',
};

function listenerConfig({ name, port, cluster, trustDomain }: HttpListener): JsonObject {
  const route = { match: { prefix: '/' }, route: { cluster } };
  const headers = Object.entries(seenByCallee).map(([key, value]) => ({
    header: { key, value },
    append_action: 'OVERWRITE_IF_EXISTS_OR_ADD',
  }));
  const manager: JsonObject = {
    '@type':
      'type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager',
    stat_prefix: name,
    route_config: {
      virtual_hosts: [
        {
          name: 'all',
          domains: ['*'],
          routes: [route],
          ...(trustDomain === undefined ? {} : { response_headers_to_add: headers }),
        },
      ],
    },
    http_filters: [
      {
        name: 'envoy.filters.http.router',
        typed_config: { '@type': 'type.googleapis.com/envoy.extensions.filters.http.router.v3.Router' },
      },
    ],
  };
  return {
    name,
    address: { socket_address: { address: '127.0.0.1', port_value: port } },
    filter_chains: [
      {
        ...(trustDomain === undefined ? {} : { transport_socket: downstreamTlsContext({ trustDomain }) }),
        filters: [{ name: 'envoy.filters.network.http_connection_manager', typed_config: manager }],
      },
    ],
  };
}

function clusterConfig({ name, port, spiffeId, requestsPerConnection }: HttpCluster): JsonObject {
  const socketAddress = { address: '127.0.0.1', port_value: port };
  const protocol: JsonObject = {
    '@type': 'type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions',
    explicit_http_config: { http_protocol_options: {} },
    ...(requestsPerConnection === undefined
      ? {}
      : { common_http_protocol_options: { max_requests_per_connection: requestsPerConnection } }),
  };
  return {
    name,
    type: 'STATIC',
    connect_timeout: '5s',
    ...(spiffeId === undefined ? {} : { transport_socket: upstreamTlsContext([spiffeId]) }),
    typed_extension_protocol_options: { 'envoy.extensions.upstreams.http.v3.HttpProtocolOptions': protocol },
    load_assignment: {
      cluster_name: name,
      endpoints: [{ lb_endpoints: [{ endpoint: { address: { socket_address: socketAddress } } }] }],
    },
  };
}
