import type { InboundPort, MeshSettings, Workload } from '../../../domain/mesh/index.ts';
import type { DiscoveryResource } from '../../../domain/ports/index.ts';
import { TrafficDirection } from '../../../gen/envoy/config/core/v3/base.ts';
import { Listener, Listener_DrainType } from '../../../gen/envoy/config/listener/v3/listener.ts';
import {
  Filter,
  FilterChain,
  ListenerFilter,
} from '../../../gen/envoy/config/listener/v3/listener_components.ts';
import { TlsInspector } from '../../../gen/envoy/extensions/filters/listener/tls_inspector/v3/tls_inspector.ts';
import { HttpFilter } from '../../../gen/envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager.ts';
import { pack } from '../messages/any.ts';
import { type FilterStep, names } from '../messages/names.ts';
import { resource } from '../messages/resource.ts';
import { duration, socketAddress } from '../messages/values.ts';
import { inboundTls, meshProtocols } from '../tls.ts';
import { discoveredFilter, httpFilter, isHttp } from './http.ts';
import { httpSteps, tcpSteps } from './steps.ts';
import { tcpFilter } from './tcp.ts';

/** Longer than a client takes to begin; then a protocol in which the server speaks first is let through. */
const inspectionTimeout = 1_000;

const tlsInspector = ListenerFilter.fromPartial({
  name: 'envoy.filters.listener.tls_inspector',
  configType: {
    $case: 'typedConfig',
    value: pack(
      'envoy.extensions.filters.listener.tls_inspector.v3.TlsInspector',
      TlsInspector,
      TlsInspector.fromPartial({}),
    ),
  },
});

/** What callers of a workload's port meet. */
export function renderInbound(
  workload: Workload,
  inbound: InboundPort,
  settings: MeshSettings,
): DiscoveryResource {
  const { port } = inbound.port;
  const name = names.inboundListener(port);
  const [first = '0.0.0.0', ...others] = workload.addresses;
  return resource(
    name,
    Listener,
    Listener.fromPartial({
      name,
      address: socketAddress(first, port),
      additionalAddresses: others.map((address) => ({ address: socketAddress(address, port) })),
      trafficDirection: TrafficDirection.INBOUND,
      drainType: Listener_DrainType.MODIFY_ONLY,
      listenerFilters: [tlsInspector],
      listenerFiltersTimeout: duration(inspectionTimeout),
      continueOnListenerFiltersTimeout: true,
      filterChains: chains(inbound, settings),
    }),
  );
}

/**
 * The chain of mutual TLS is the same in every mode, byte for byte, so that a change of mode does not touch the
 * connections on it: only those of a chain that goes, or is changed, are drained.
 */
function chains({ port, mode }: InboundPort, settings: MeshSettings): FilterChain[] {
  const mutual = mutualTlsChain(port, settings, 'mutual-tls', meshProtocols);
  const plaintext = FilterChain.fromPartial({
    name: 'plaintext',
    filterChainMatch: { transportProtocol: 'raw_buffer' },
    filters: applicationFilters(port, settings, false),
  });
  const passedThrough = FilterChain.fromPartial({
    name: 'tls-passthrough',
    filterChainMatch: { transportProtocol: 'tls' },
    filters: passThroughFilters(port, settings),
  });
  switch (mode) {
    case 'STRICT':
      return [mutual, mutualTlsChain(port, settings, 'mutual-tls-other', [])];
    case 'PERMISSIVE':
      return [mutual, passedThrough, plaintext];
    case 'DISABLE':
      return [passedThrough, plaintext];
  }
}

type Port = InboundPort['port'];

function mutualTlsChain(
  port: Port,
  settings: MeshSettings,
  name: string,
  protocols: readonly string[],
): FilterChain {
  return FilterChain.fromPartial({
    name,
    filterChainMatch: { transportProtocol: 'tls', applicationProtocols: [...protocols] },
    transportSocket: inboundTls([settings.trustDomain, ...settings.trustDomainAliases], port.protocol),
    filters: applicationFilters(port, settings, true),
  });
}

function applicationFilters(port: Port, settings: MeshSettings, callerKnown: boolean): Filter[] {
  const cluster = names.inboundCluster(port.port);
  const { connectionLifetime } = settings;
  if (!isHttp(port.protocol)) return passThroughFilters(port, settings);
  const filters = httpSteps.map(([step, types]) =>
    HttpFilter.fromPartial({
      name: names.filter(port.port, 'http', step),
      configType: { $case: 'configDiscovery', value: discoveredFilter(types) },
    }),
  );
  return [httpFilter({ name: cluster, cluster, filters, callerKnown, connectionLifetime })];
}

/** Bytes, judged by what a connection shows: what policies say of HTTP is read as they define it for TCP. */
function passThroughFilters({ port }: Port, { connectionLifetime }: MeshSettings): Filter[] {
  const steps = tcpSteps.map(([step, types]: readonly [FilterStep, readonly string[]]) =>
    Filter.fromPartial({
      name: names.filter(port, 'tcp', step),
      configType: { $case: 'configDiscovery', value: discoveredFilter(types) },
    }),
  );
  const cluster = names.inboundCluster(port);
  return [...steps, tcpFilter(cluster, cluster, connectionLifetime)];
}
