import { status } from '@grpc/grpc-js';
import type { AuthorizationProvider } from '../../src/domain/mesh/index.ts';
import { serveCheckResponses } from '../fakes/grpc-authorizer.ts';
import { freePort } from '../parts/index.ts';
import { words } from './generate/index.ts';

export interface Authorizers extends AsyncDisposable {
  readonly providers: readonly AuthorizationProvider[];
  /** Envoy's clusters and listeners for them, for its bootstrap. */
  readonly clusters: readonly object[];
  readonly listeners: readonly object[];
}

/** Those that speak HTTP are listeners of Envoy itself; those that speak gRPC answer here, always the same. */
export async function startAuthorizers(): Promise<Authorizers> {
  await using stack = new AsyncDisposableStack();
  const clusters: object[] = [];
  const listeners: object[] = [];
  const providers: AuthorizationProvider[] = [];
  for (const [name, verdict] of Object.entries(words.providers)) {
    const kind = name.endsWith('-grpc') ? 'grpc' : 'http';
    const allow = verdict === 'allow';
    const port = kind === 'grpc' ? await grpcAuthorizer(stack, allow) : await freePort();
    if (kind === 'http') listeners.push(httpAuthorizer(name, port, allow));
    clusters.push(cluster(name, port, kind));
    providers.push({
      name,
      kind,
      service: `auth/${name}`,
      port,
      timeout: 5000,
      failOpen: false,
      pathPrefix: '/check',
      includeHeaders: ['x-tier'],
      bodyBytes: 0,
    });
  }
  const owned = stack.move();
  return {
    providers,
    clusters,
    listeners,
    async [Symbol.asyncDispose]() {
      await owned.disposeAsync();
    },
  };
}

/** `CheckResponse` has its status in field 1, whose code is field 1: 7 is PERMISSION_DENIED, 0 is left out. */
async function grpcAuthorizer(stack: AsyncDisposableStack, allow: boolean): Promise<number> {
  const reply = Buffer.from(allow ? [0x0a, 0x00] : [0x0a, 0x02, 0x08, status.PERMISSION_DENIED]);
  return stack.use(await serveCheckResponses(() => reply)).port;
}

const prefix = 'type.googleapis.com/envoy.extensions';

function httpAuthorizer(name: string, port: number, allow: boolean): object {
  const manager = {
    '@type': `${prefix}.filters.network.http_connection_manager.v3.HttpConnectionManager`,
    stat_prefix: name,
    route_config: {
      virtual_hosts: [
        {
          name,
          domains: ['*'],
          routes: [{ match: { prefix: '' }, direct_response: { status: allow ? 200 : 403 } }],
        },
      ],
    },
    http_filters: [{ name: 'router', typed_config: { '@type': `${prefix}.filters.http.router.v3.Router` } }],
  };
  return {
    name,
    address: { socket_address: { address: '127.0.0.1', port_value: port } },
    filter_chains: [{ filters: [{ name: 'http', typed_config: manager }] }],
  };
}

function cluster(name: string, port: number, kind: 'grpc' | 'http'): object {
  const http2 = {
    'envoy.extensions.upstreams.http.v3.HttpProtocolOptions': {
      '@type': `${prefix}.upstreams.http.v3.HttpProtocolOptions`,
      explicit_http_config: { http2_protocol_options: {} },
    },
  };
  const address = { socket_address: { address: '127.0.0.1', port_value: port } };
  return {
    name,
    type: 'STATIC',
    load_assignment: { cluster_name: name, endpoints: [{ lb_endpoints: [{ endpoint: { address } }] }] },
    ...(kind === 'grpc' ? { typed_extension_protocol_options: http2 } : {}),
  };
}
