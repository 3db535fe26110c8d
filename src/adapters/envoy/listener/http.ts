import type { AppProtocol } from '../../../domain/mesh/index.ts';
import { denialHeader } from '../../../domain/ports/index.ts';
import { HeaderValueOption_HeaderAppendAction } from '../../../gen/envoy/config/core/v3/base.ts';
import { ApiVersion, ExtensionConfigSource } from '../../../gen/envoy/config/core/v3/config_source.ts';
import { Filter } from '../../../gen/envoy/config/listener/v3/listener_components.ts';
import { RouteConfiguration } from '../../../gen/envoy/config/route/v3/route.ts';
import { VirtualHost } from '../../../gen/envoy/config/route/v3/route_components.ts';
import { Router } from '../../../gen/envoy/extensions/filters/http/router/v3/router.ts';
import {
  HttpConnectionManager,
  HttpConnectionManager_CodecType,
  HttpConnectionManager_ForwardClientCertDetails,
  HttpConnectionManager_ServerHeaderTransformation,
  HttpFilter,
  LocalReplyConfig,
  Rds,
} from '../../../gen/envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager.ts';
import { type InboundLogs, requestDenied } from '../access-log/loggers.ts';
import { pathSettings } from '../authorization/index.ts';
import { pack, typeUrlOf } from '../messages/any.ts';
import { httpLifetime } from '../messages/lifetime.ts';
import { duration } from '../messages/values.ts';

const never = { seconds: 0n, nanos: 0 };

/** A filter whose configuration comes by ECDS: an edit of a policy closes no connection. Without it nothing passes. */
export function discoveredFilter(types: readonly string[]): ExtensionConfigSource {
  return ExtensionConfigSource.fromPartial({
    configSource: {
      resourceApiVersion: ApiVersion.V3,
      configSourceSpecifier: { $case: 'ads', value: {} },
      initialFetchTimeout: never,
    },
    typeUrls: types.map((name) => typeUrlOf(name)),
  });
}

const router = HttpFilter.fromPartial({
  name: 'envoy.filters.http.router',
  configType: {
    $case: 'typedConfig',
    value: pack('envoy.extensions.filters.http.router.v3.Router', Router, Router.fromPartial({})),
  },
});

/** By its name a denied caller can ask about the denial, and learns nothing from it. */
const namedDenials = LocalReplyConfig.fromPartial({
  mappers: [
    {
      filter: requestDenied,
      headersToAdd: [
        {
          header: { key: denialHeader, value: '%UNIQUE_ID%' },
          appendAction: HeaderValueOption_HeaderAppendAction.OVERWRITE_IF_EXISTS_OR_ADD,
        },
      ],
    },
  ],
});

export interface HttpOptions {
  /** Shows in statistics. */
  readonly name: string;
  /** Where all requests go; or the name of routes that come by RDS. */
  readonly to: { readonly cluster: string } | { readonly routes: string };
  /**
   * Whether policies judge the requests here: then paths are made canonical first, and go on in that form, so that policy
   * and application read the same path. Otherwise they go on as they are.
   */
  readonly judged: boolean;
  readonly filters: readonly HttpFilter[];
  /** Whether the other end has shown a certificate: its SPIFFE ID is handed on, and what it says of itself is not. */
  readonly callerKnown: boolean;
  readonly connectionLifetime: number;
  readonly accessLog?: InboundLogs;
}

export function httpFilter(options: HttpOptions): Filter {
  const { accessLog } = options;
  const { connection, notice, stream } = httpLifetime(options.connectionLifetime);
  const manager = HttpConnectionManager.fromPartial({
    codecType: HttpConnectionManager_CodecType.AUTO,
    statPrefix: options.name,
    routeSpecifier: routesOf(options.to),
    httpFilters: [...options.filters, router],
    serverHeaderTransformation: HttpConnectionManager_ServerHeaderTransformation.PASS_THROUGH,
    forwardClientCertDetails: options.callerKnown
      ? HttpConnectionManager_ForwardClientCertDetails.SANITIZE_SET
      : HttpConnectionManager_ForwardClientCertDetails.SANITIZE,
    ...(options.callerKnown ? { setCurrentClientCertDetails: { uri: true } } : {}),
    ...(options.judged ? { ...pathSettings(), localReplyConfig: namedDenials } : {}),
    commonHttpProtocolOptions: { maxConnectionDuration: connection, maxStreamDuration: stream },
    drainTimeout: notice,
    streamIdleTimeout: never,
    ...(accessLog
      ? {
          accessLog: [accessLog.logger],
          accessLogOptions: {
            // A long request, an upgraded one above all, is told of when it begins.
            flushAccessLogOnNewRequest: true,
            ...(accessLog.period === undefined ? {} : { accessLogFlushInterval: duration(accessLog.period) }),
          },
        }
      : {}),
    upgradeConfigs: [{ upgradeType: 'websocket' }],
  });
  return Filter.fromPartial({
    name: 'envoy.filters.network.http_connection_manager',
    configType: {
      $case: 'typedConfig',
      value: pack(
        'envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager',
        HttpConnectionManager,
        manager,
      ),
    },
  });
}

function routesOf(to: HttpOptions['to']): HttpConnectionManager['routeSpecifier'] {
  if ('cluster' in to)
    return {
      $case: 'routeConfig',
      value: RouteConfiguration.fromPartial({
        name: to.cluster,
        validateClusters: false,
        virtualHosts: [virtualHost('all', ['*'], to.cluster)],
      }),
    };
  return {
    $case: 'rds',
    value: Rds.fromPartial({
      routeConfigName: to.routes,
      configSource: {
        resourceApiVersion: ApiVersion.V3,
        configSourceSpecifier: { $case: 'ads', value: {} },
        initialFetchTimeout: never,
      },
    }),
  };
}

/** Everything to one cluster, without a limit of time: an application's own deadlines are not ours to cut. */
export function virtualHost(name: string, domains: readonly string[], cluster: string): VirtualHost {
  return VirtualHost.fromPartial({
    name,
    domains: [...domains],
    routes: [
      {
        match: { pathSpecifier: { $case: 'prefix', value: '/' } },
        action: {
          $case: 'route',
          value: { clusterSpecifier: { $case: 'cluster', value: cluster }, timeout: never },
        },
      },
    ],
  });
}

export function isHttp(protocol: AppProtocol): boolean {
  return protocol !== 'tcp';
}
