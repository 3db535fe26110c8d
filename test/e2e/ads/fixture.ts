import { writeFile } from 'node:fs/promises';
import { Cluster, Cluster_DiscoveryType } from '../../../src/gen/envoy/config/cluster/v3/cluster.ts';
import { ApiVersion } from '../../../src/gen/envoy/config/core/v3/config_source.ts';
import { TypedExtensionConfig } from '../../../src/gen/envoy/config/core/v3/extension.ts';
import { ClusterLoadAssignment } from '../../../src/gen/envoy/config/endpoint/v3/endpoint.ts';
import { Listener } from '../../../src/gen/envoy/config/listener/v3/listener.ts';
import { RBAC_Action } from '../../../src/gen/envoy/config/rbac/v3/rbac.ts';
import { RouteConfiguration } from '../../../src/gen/envoy/config/route/v3/route.ts';
import { RBAC as HttpRbac } from '../../../src/gen/envoy/extensions/filters/http/rbac/v3/rbac.ts';
import { Router } from '../../../src/gen/envoy/extensions/filters/http/router/v3/router.ts';
import {
  HttpConnectionManager,
  HttpFilter,
} from '../../../src/gen/envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager.ts';
import type { Identity } from '../../fakes/ads-server.ts';
import { type Envoy, startEnvoy, temporaryDirectory } from '../../parts/index.ts';
import { createApplication } from '../../support/http-application.ts';

const any = (name: string, value: Uint8Array) => ({
  typeUrl: `type.googleapis.com/${name}`,
  value: Buffer.from(value),
});
const rbacType = 'envoy.extensions.filters.http.rbac.v3.RBAC';
const ads = {
  resourceApiVersion: ApiVersion.V3,
  configSourceSpecifier: { $case: 'ads', value: {} },
} as const;

const routerFilter = {
  name: 'envoy.filters.http.router',
  configType: {
    $case: 'typedConfig',
    value: any(
      'envoy.extensions.filters.http.router.v3.Router',
      Router.encode(Router.fromPartial({})).finish(),
    ),
  },
} as const;

/** A filter that takes its configuration by ECDS, by its name. */
const discovered = (name: string): HttpFilter =>
  HttpFilter.fromPartial({
    name,
    configType: {
      $case: 'configDiscovery',
      value: { configSource: ads, typeUrls: [`type.googleapis.com/${rbacType}`] },
    },
  });

/** For a filter: denies what has this header; an Envoy refuses an expression that is longer than 100 of its steps. */
export function denial(name: string, header: string, expression: string): Uint8Array {
  const safeRegex = { regex: expression };
  const match = {
    $case: 'stringMatch',
    value: { matchPattern: { $case: 'safeRegex', value: safeRegex } },
  } as const;
  const rule = { $case: 'header', value: { name: header, headerMatchSpecifier: match } } as const;
  const principals = [{ identifier: { $case: 'any', value: true } as const }];
  const rules = { action: RBAC_Action.DENY, policies: { all: { permissions: [{ rule }], principals } } };
  const typedConfig = any(rbacType, HttpRbac.encode(HttpRbac.fromPartial({ rules })).finish());
  return TypedExtensionConfig.encode({ name, typedConfig }).finish();
}

/** A listener on a free port that takes its routes by RDS, and these filters before them by ECDS. */
export function listener(
  name: string,
  routeConfigName: string,
  statPrefix = 'in',
  filters: readonly string[] = [],
): Uint8Array {
  const manager = HttpConnectionManager.fromPartial({
    statPrefix,
    routeSpecifier: { $case: 'rds', value: { routeConfigName, configSource: ads } },
    httpFilters: [...filters.map(discovered), routerFilter],
  });
  const config = any(
    'envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager',
    HttpConnectionManager.encode(manager).finish(),
  );
  const socketAddress = { address: '127.0.0.1', portSpecifier: { $case: 'portValue', value: 0 } } as const;
  const message = Listener.fromPartial({
    name,
    address: { address: { $case: 'socketAddress', value: socketAddress } },
    filterChains: [
      {
        filters: [
          {
            name: 'envoy.filters.network.http_connection_manager',
            configType: { $case: 'typedConfig', value: config },
          },
        ],
      },
    ],
  });
  return Listener.encode(message).finish();
}

export function routes(name: string, target: string): Uint8Array {
  const message = RouteConfiguration.fromPartial({
    name,
    virtualHosts: [
      {
        name: 'all',
        domains: ['*'],
        routes: [
          {
            match: { pathSpecifier: { $case: 'prefix', value: '/' } },
            action: { $case: 'route', value: { clusterSpecifier: { $case: 'cluster', value: target } } },
          },
        ],
      },
    ],
  });
  return RouteConfiguration.encode(message).finish();
}

export function cluster(name: string, connectSeconds = 1n): Uint8Array {
  const message = Cluster.fromPartial({
    name,
    clusterDiscoveryType: { $case: 'type', value: Cluster_DiscoveryType.EDS },
    edsClusterConfig: { edsConfig: ads },
    connectTimeout: { seconds: connectSeconds, nanos: 0 },
  });
  return Cluster.encode(message).finish();
}

export function endpoints(name: string, port: number): Uint8Array {
  const socketAddress = { address: '127.0.0.1', portSpecifier: { $case: 'portValue', value: port } } as const;
  const message = ClusterLoadAssignment.fromPartial({
    clusterName: name,
    endpoints: [
      {
        lbEndpoints: [
          {
            hostIdentifier: {
              $case: 'endpoint',
              value: { address: { address: { $case: 'socketAddress', value: socketAddress } } },
            },
          },
        ],
      },
    ],
  });
  return ClusterLoadAssignment.encode(message).finish();
}

export type ApiType = 'GRPC' | 'DELTA_GRPC';

export interface IdentityFiles {
  readonly cert: string;
  readonly key: string;
}

/** An Envoy that takes all from the server by ADS, with the identity in files; beside it these listeners of its own. */
export async function adsEnvoy(
  server: { readonly listener: { readonly port: number }; readonly rootPem: string },
  identity: Identity,
  apiType: ApiType,
  listeners: (files: IdentityFiles) => readonly object[] = () => [],
): Promise<Envoy> {
  await using cleanup = new AsyncDisposableStack();
  const directory = cleanup.use(await temporaryDirectory('ads'));
  const files = {
    cert: directory.join('cert.pem'),
    key: directory.join('key.pem'),
    ca: directory.join('ca.pem'),
  };
  await writeFile(files.cert, identity.chainPem);
  await writeFile(files.key, identity.keyPem);
  await writeFile(files.ca, server.rootPem);
  const source = { ads: {}, resource_api_version: 'V3' };
  const address = { socket_address: { address: '127.0.0.1', port_value: server.listener.port } };
  const envoy = await startEnvoy({
    bootstrap: {
      node: { id: 'web-1', cluster: 'web' },
      dynamic_resources: {
        ads_config: {
          api_type: apiType,
          transport_api_version: 'V3',
          grpc_services: [{ envoy_grpc: { cluster_name: 'citadel' } }],
        },
        cds_config: source,
        lds_config: source,
      },
      static_resources: {
        listeners: listeners(files),
        clusters: [
          {
            name: 'citadel',
            type: 'STATIC',
            connect_timeout: '2s',
            typed_extension_protocol_options: {
              'envoy.extensions.upstreams.http.v3.HttpProtocolOptions': {
                '@type': 'type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions',
                explicit_http_config: { http2_protocol_options: {} },
              },
            },
            transport_socket: {
              name: 'envoy.transport_sockets.tls',
              typed_config: {
                '@type': 'type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext',
                sni: 'localhost',
                common_tls_context: {
                  tls_certificates: [
                    { certificate_chain: { filename: files.cert }, private_key: { filename: files.key } },
                  ],
                  validation_context: { trusted_ca: { filename: files.ca } },
                },
              },
            },
            load_assignment: {
              cluster_name: 'citadel',
              endpoints: [{ lb_endpoints: [{ endpoint: { address } }] }],
            },
          },
        ],
      },
    },
  });
  cleanup.use(envoy);
  const owned = cleanup.move();
  return new Proxy(envoy, {
    get: (target, property) => {
      if (property === Symbol.asyncDispose) return () => owned.disposeAsync();
      const value: unknown = Reflect.get(target, property, target);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
}

export interface Backend extends AsyncDisposable {
  readonly port: number;
}

/** Answers everything with its name. */
export async function backend(name: string): Promise<Backend> {
  const http = createApplication((_request, response) => response.end(name));
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
  const address = http.address();
  if (typeof address !== 'object' || !address) throw new Error('no address');
  return {
    port: address.port,
    [Symbol.asyncDispose]: () =>
      new Promise((resolve) => {
        http.closeAllConnections();
        http.close(() => resolve());
      }),
  };
}
