import type { JsonObject } from '../../src/agent/index.ts';
import { exchange, startEnvoy } from '../parts/index.ts';

/** What an Envoy holds, PEM: its chain from the leaf upwards, its key, and the roots that it trusts. */
export interface EnvoyIdentity {
  readonly chain: string;
  readonly key: string;
  readonly roots: string;
}

/** Two Envoys, of which the one calls the other by mutual TLS 1.3. */
export interface EnvoyPair extends AsyncDisposable {
  /** One call on a connection of its own. @returns the status; 503 where the handshake fails */
  call(): Promise<number>;
  /** What each has counted of handshakes that failed. */
  failures(): Promise<{ readonly caller: number; readonly callee: number }>;
}

const anyPort = { socket_address: { address: '127.0.0.1', port_value: 0 } };

/** Real Envoys with certificates in their own configuration, and no setting of what signatures they accept. */
export async function startEnvoyPair(caller: EnvoyIdentity, callee: EnvoyIdentity): Promise<EnvoyPair> {
  await using building = new AsyncDisposableStack();
  const inbound = building.use(await startEnvoy({ bootstrap: calleeBootstrap(callee) }));
  await inbound.waitLive();
  const port = await inbound.listenerPort('mtls');
  const outbound = building.use(await startEnvoy({ bootstrap: callerBootstrap(caller, port) }));
  await outbound.waitLive();
  const out = await outbound.listenerPort('out');
  const count = (stats: Record<string, number>) =>
    Object.values(stats).reduce((sum, value) => sum + value, 0);
  const running = building.move();
  return {
    call: async () => (await exchange(`http://127.0.0.1:${out}/`)).status,
    failures: async () => ({
      caller: count(await outbound.stats('^cluster\\.callee\\.ssl\\.(fail_.*|connection_error)$')),
      callee: count(await inbound.stats('^listener\\..*\\.ssl\\.(fail_.*|connection_error)$')),
    }),
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  };
}

function calleeBootstrap(identity: EnvoyIdentity): JsonObject {
  const transport = {
    '@type': 'type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext',
    require_client_certificate: true,
    common_tls_context: tlsContext(identity),
  };
  return {
    static_resources: {
      listeners: [
        {
          name: 'mtls',
          address: anyPort,
          filter_chains: [
            {
              transport_socket: { name: 'envoy.transport_sockets.tls', typed_config: transport },
              filters: [httpManager({ direct_response: { status: 200 } })],
            },
          ],
        },
      ],
    },
  };
}

function callerBootstrap(identity: EnvoyIdentity, port: number): JsonObject {
  const transport = {
    '@type': 'type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext',
    max_session_keys: 0,
    common_tls_context: tlsContext(identity),
  };
  const socketAddress = { address: '127.0.0.1', port_value: port };
  return {
    static_resources: {
      listeners: [
        {
          name: 'out',
          address: anyPort,
          filter_chains: [{ filters: [httpManager({ route: { cluster: 'callee' } })] }],
        },
      ],
      clusters: [
        {
          name: 'callee',
          type: 'STATIC',
          max_requests_per_connection: 1,
          transport_socket: { name: 'envoy.transport_sockets.tls', typed_config: transport },
          load_assignment: {
            cluster_name: 'callee',
            endpoints: [{ lb_endpoints: [{ endpoint: { address: { socket_address: socketAddress } } }] }],
          },
        },
      ],
    },
  };
}

function tlsContext({ chain, key, roots }: EnvoyIdentity): JsonObject {
  return {
    tls_params: { tls_minimum_protocol_version: 'TLSv1_3', tls_maximum_protocol_version: 'TLSv1_3' },
    tls_certificates: [{ certificate_chain: { inline_string: chain }, private_key: { inline_string: key } }],
    validation_context: { trusted_ca: { inline_string: roots } },
  };
}

/** A filter that reads HTTP and answers, or sends on, by this route. */
export function httpManager(route: JsonObject): JsonObject {
  return {
    name: 'envoy.filters.network.http_connection_manager',
    typed_config: {
      '@type':
        'type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager',
      stat_prefix: 'http',
      route_config: {
        virtual_hosts: [{ name: 'all', domains: ['*'], routes: [{ match: { prefix: '/' }, ...route }] }],
      },
      http_filters: [
        {
          name: 'envoy.filters.http.router',
          typed_config: { '@type': 'type.googleapis.com/envoy.extensions.filters.http.router.v3.Router' },
        },
      ],
    },
  };
}
