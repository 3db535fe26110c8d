import { agentCluster } from '../../domain/ports/index.ts';
import type { JsonObject } from './json.ts';

/** The static cluster of the agent's Unix socket; gRPC, so HTTP/2. */
export function sdsClusterBootstrap(socketPath: string): JsonObject {
  return {
    name: agentCluster,
    type: 'STATIC',
    connect_timeout: '1s',
    typed_extension_protocol_options: {
      'envoy.extensions.upstreams.http.v3.HttpProtocolOptions': {
        '@type': 'type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions',
        explicit_http_config: { http2_protocol_options: {} },
      },
    },
    load_assignment: {
      cluster_name: agentCluster,
      endpoints: [{ lb_endpoints: [{ endpoint: { address: { pipe: { path: socketPath } } } }] }],
    },
  };
}

/** Where a secret of this name comes from. The listener or cluster waits for it before it serves. */
export function sdsSecret(name: string): JsonObject {
  return {
    name,
    sds_config: {
      resource_api_version: 'V3',
      initial_fetch_timeout: '0s',
      api_config_source: {
        api_type: 'GRPC',
        transport_api_version: 'V3',
        grpc_services: [{ envoy_grpc: { cluster_name: agentCluster } }],
      },
    },
  };
}

/** Names a caller or callee must have, one of them: all of a trust domain, or exactly these SPIFFE IDs. */
export type ExpectedPeers = { readonly trustDomain: string } | { readonly spiffeIds: readonly string[] };

function subjectMatchers(peers: ExpectedPeers): JsonObject[] {
  const matchers: JsonObject[] =
    'trustDomain' in peers
      ? [{ prefix: `spiffe://${peers.trustDomain}/` }]
      : peers.spiffeIds.map((id) => ({ exact: id }));
  return matchers.map((matcher) => ({ san_type: 'URI', matcher }));
}

function commonTlsContext(peers: ExpectedPeers): JsonObject {
  return agentTlsContext(subjectMatchers(peers));
}

/** Our own certificate, and peers that chain to our trust bundle and have one of these names. */
export function agentTlsContext(subjectAltNames: readonly JsonObject[]): JsonObject {
  return {
    tls_params: { tls_minimum_protocol_version: 'TLSv1_3', tls_maximum_protocol_version: 'TLSv1_3' },
    tls_certificate_sds_secret_configs: [sdsSecret('default')],
    combined_validation_context: {
      default_validation_context: { match_typed_subject_alt_names: subjectAltNames },
      validation_context_sds_secret_config: sdsSecret('ROOTCA'),
    },
  };
}

/**
 * The transport socket of a listener that takes mutual TLS alone. Nothing is resumed: a session would outlive the
 * certificate that it began with.
 */
export function downstreamTlsContext(peers: ExpectedPeers): JsonObject {
  return {
    name: 'envoy.transport_sockets.tls',
    typed_config: {
      '@type': 'type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext',
      require_client_certificate: true,
      disable_stateless_session_resumption: true,
      disable_stateful_session_resumption: true,
      common_tls_context: commonTlsContext(peers),
    },
  };
}

/** The transport socket of a cluster whose endpoints have exactly these SPIFFE IDs. */
export function upstreamTlsContext(spiffeIds: readonly [string, ...string[]]): JsonObject {
  return {
    name: 'envoy.transport_sockets.tls',
    typed_config: {
      '@type': 'type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext',
      // Zero: no session is kept for resumption.
      max_session_keys: 0,
      common_tls_context: commonTlsContext({ spiffeIds }),
    },
  };
}
