import type { AuthorizationProvider, WorkloadPort } from '../../../domain/mesh/index.ts';
import type { MutualTlsMode, Policy, Verdict } from '../../../domain/policy/index.ts';
import { Listener } from '../../../gen/envoy/config/listener/v3/listener.ts';
import {
  Filter,
  FilterChain,
  type ListenerFilter,
} from '../../../gen/envoy/config/listener/v3/listener_components.ts';
import { HttpFilter } from '../../../gen/envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager.ts';
import { DownstreamTlsContext } from '../../../gen/envoy/extensions/transport_sockets/tls/v3/tls.ts';
import { DiscoveryResponse } from '../../../gen/envoy/service/discovery/v3/discovery.ts';
import {
  type AuthorizationContext,
  httpAuthorization,
  httpFilterConfig,
  networkAuthorization,
  networkFilterConfig,
} from '../authorization/index.ts';
import { httpFilter, isHttp } from '../listener/http.ts';
import { tlsInspector } from '../listener/listener-filters.ts';
import { pack, typeUrlOf } from '../messages/any.ts';
import { resourceTypes } from '../messages/resource.ts';
import { socketAddress } from '../messages/values.ts';
import type { Credentials } from './identities.ts';

/** A port of a workload, and what is known of those whom its policies ask. */
export interface JudgedPlace {
  readonly name: string;
  readonly policies: readonly Policy[];
  readonly port: number;
  readonly protocol: WorkloadPort['protocol'];
  readonly mode: Exclude<MutualTlsMode, 'UNSET'>;
  /** Of each provider that there is, by its name. */
  readonly answers: Readonly<Record<string, Verdict>>;
}

export interface JudgeOptions {
  readonly trustDomain: string;
  readonly trustDomainAliases: readonly string[];
  readonly server: Credentials;
  readonly rootPem: string;
  /** The keys that every rule of tokens believes. */
  readonly jwks: string;
}

export const applicationCluster = 'application';
export const denyingCluster = 'denying';

/** A client says by it where a call comes from and goes to: no other filter would let it. */
const proxyProtocol: ListenerFilter = {
  name: 'envoy.filters.listener.proxy_protocol',
  configType: {
    $case: 'typedConfig',
    value: {
      typeUrl: typeUrlOf('envoy.extensions.filters.listener.proxy_protocol.v3.ProxyProtocol'),
      value: Buffer.alloc(0),
    },
  },
  filterDisabled: undefined,
};

/** Milliseconds; nobody stays so long. */
const connectionLifetime = 3_600_000;

/** One listener a place, as Envoy reads them from a file whose name ends in `.pb`: the same filters as a proxy's. */
export function judgeListeners(places: readonly JudgedPlace[], options: JudgeOptions): Uint8Array {
  const resources = places.map((place) =>
    pack(
      resourceTypes.listener,
      Listener,
      Listener.fromPartial({
        name: place.name,
        address: socketAddress('127.0.0.1', 0),
        listenerFilters: [proxyProtocol, tlsInspector],
        filterChains: chainsOf(place, options),
      }),
    ),
  );
  return DiscoveryResponse.encode(DiscoveryResponse.fromPartial({ versionInfo: '1', resources })).finish();
}

function chainsOf(place: JudgedPlace, options: JudgeOptions): FilterChain[] {
  const mutual = FilterChain.fromPartial({
    name: 'mtls',
    filterChainMatch: { transportProtocol: 'tls' },
    transportSocket: {
      name: 'tls',
      configType: {
        $case: 'typedConfig',
        value: pack(
          'envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext',
          DownstreamTlsContext,
          tlsOf(options),
        ),
      },
    },
    filters: filtersOf(place, options, true),
  });
  const plaintext = FilterChain.fromPartial({
    name: 'plaintext',
    filterChainMatch: { transportProtocol: 'raw_buffer' },
    filters: filtersOf(place, options, false),
  });
  switch (place.mode) {
    case 'STRICT':
      return [mutual];
    case 'PERMISSIVE':
      return [mutual, plaintext];
    case 'DISABLE':
      return [plaintext];
  }
}

function tlsOf({ server, rootPem }: JudgeOptions): DownstreamTlsContext {
  return DownstreamTlsContext.fromPartial({
    requireClientCertificate: true,
    commonTlsContext: {
      tlsCertificates: [
        {
          certificateChain: { specifier: { $case: 'inlineString', value: server.chainPem } },
          privateKey: { specifier: { $case: 'inlineString', value: server.keyPem } },
        },
      ],
      validationContextType: {
        $case: 'validationContext',
        value: { trustedCa: { specifier: { $case: 'inlineString', value: rootPem } } },
      },
    },
  });
}

function filtersOf(place: JudgedPlace, options: JudgeOptions, callerKnown: boolean): Filter[] {
  const context = contextOf(place, options);
  if (!isHttp(place.protocol))
    return [
      ...networkAuthorization(place.policies, context).map((filter) =>
        Filter.fromPartial({
          name: filter.name,
          configType: { $case: 'typedConfig', value: networkFilterConfig(filter) },
        }),
      ),
      echo,
    ];
  const filters = httpAuthorization(place.policies, () => options.jwks, context).map((filter) =>
    HttpFilter.fromPartial({
      name: filter.name,
      configType: { $case: 'typedConfig', value: httpFilterConfig(filter) },
    }),
  );
  return [
    httpFilter({
      name: place.name,
      to: { cluster: applicationCluster },
      judged: true,
      filters,
      callerKnown,
      connectionLifetime,
    }),
  ];
}

/** What is let in comes back. */
const echo = Filter.fromPartial({
  name: 'envoy.filters.network.echo',
  configType: {
    $case: 'typedConfig',
    value: { typeUrl: typeUrlOf('envoy.extensions.filters.network.echo.v3.Echo'), value: Buffer.alloc(0) },
  },
});

function contextOf({ answers, port }: JudgedPlace, options: JudgeOptions): AuthorizationContext {
  return {
    trustDomain: options.trustDomain,
    trustDomainAliases: options.trustDomainAliases,
    providers: Object.keys(answers).map(providerOf),
    providerCluster: ({ name }) => (answers[name] === 'allow' ? applicationCluster : denyingCluster),
    port,
  };
}

function providerOf(name: string): AuthorizationProvider {
  return {
    name,
    kind: 'http',
    service: `judge/${name}`,
    port: 80,
    timeout: 5000,
    failOpen: false,
    pathPrefix: '',
    includeHeaders: [],
    bodyBytes: 0,
  };
}
