import { anyOtherPort, type InboundPort, type MeshSettings } from '../../../domain/mesh/index.ts';
import { inboundChains } from '../../../domain/ports/index.ts';
import { Filter, FilterChain } from '../../../gen/envoy/config/listener/v3/listener_components.ts';
import { HttpFilter } from '../../../gen/envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager.ts';
import { connectionLogs, requestLogs } from '../access-log/loggers.ts';
import { changedBy, drainGeneration } from '../changed-by.ts';
import { filterSlots } from '../filters.ts';
import { names } from '../messages/names.ts';
import { inboundTls, meshProtocols } from '../tls.ts';
import { discoveredFilter, httpFilter, isHttp } from './http.ts';
import { tcpFilter } from './tcp.ts';

/** A port, and what shows of the policies in its chains: see PortFilters. */
export interface JudgedPort extends InboundPort {
  readonly judgement: string;
}

/**
 * What callers of one port meet. The chain of mutual TLS is the same in every mode, byte for byte, so that a change of
 * mode does not touch the connections on it: only those of a chain that goes, or is changed, are drained.
 */
export function portChains(inbound: JudgedPort, settings: MeshSettings): FilterChain[] {
  const { port, mode } = inbound;
  const mutual = mutualTlsChain(inbound, settings, inboundChains.mutualTls, meshProtocols);
  const plaintext = FilterChain.fromPartial({
    name: inboundChains.plaintext,
    filterChainMatch: { transportProtocol: 'raw_buffer' },
    filters: applicationFilters(port, settings, false),
    ...(isHttp(port.protocol) ? {} : judgedOnce(inbound)),
  });
  const passedThrough = FilterChain.fromPartial({
    name: inboundChains.otherTls,
    filterChainMatch: { transportProtocol: 'tls' },
    filters: passThroughFilters(port, settings, false),
    ...judgedOnce(inbound),
  });
  switch (mode) {
    case 'STRICT':
      return [mutual, mutualTlsChain(inbound, settings, inboundChains.mutualTlsOther, [])];
    case 'PERMISSIVE':
      return [mutual, passedThrough, plaintext];
    case 'DISABLE':
      return [passedThrough, plaintext];
  }
}

/** The same for a listener that all ports share: told apart by where the caller wanted to go. */
export function capturedPortChains(inbound: JudgedPort, settings: MeshSettings): FilterChain[] {
  const { port } = inbound.port;
  return portChains(inbound, settings).map(({ name, filterChainMatch, ...chain }) =>
    FilterChain.fromPartial({
      ...chain,
      name: `${names.inboundListener(port)}/${name}`,
      filterChainMatch: {
        ...filterChainMatch,
        ...(port === anyOtherPort ? {} : { destinationPort: port }),
      },
    }),
  );
}

type Port = InboundPort['port'];

/**
 * Requests are judged one by one, connections when they begin. By this a chain of connections changes with what judges
 * them, so that those that are open drain, and are judged again when they come back.
 */
function judgedOnce({ judgement }: JudgedPort): ReturnType<typeof changedBy> {
  return changedBy({ judgement });
}

function mutualTlsChain(
  inbound: JudgedPort,
  settings: MeshSettings,
  name: string,
  protocols: readonly string[],
): FilterChain {
  const { port, judgement } = inbound;
  return FilterChain.fromPartial({
    name,
    ...changedBy({
      ...(isHttp(port.protocol) ? {} : { judgement }),
      // The peer's certificate was looked at when the connection began, too.
      ...drainGeneration(settings),
    }),
    filterChainMatch: { transportProtocol: 'tls', applicationProtocols: [...protocols] },
    transportSocket: inboundTls(settings, port.protocol),
    filters: applicationFilters(port, settings, true),
  });
}

function applicationFilters(port: Port, settings: MeshSettings, callerKnown: boolean): Filter[] {
  const cluster = clusterOf(port);
  const { connectionLifetime, accessLogSample } = settings;
  if (!isHttp(port.protocol)) return passThroughFilters(port, settings, callerKnown);
  const filters = filterSlots('http', settings).map(({ name, types }) =>
    HttpFilter.fromPartial({
      name,
      configType: { $case: 'configDiscovery', value: discoveredFilter(types) },
    }),
  );
  return [
    httpFilter({
      name: cluster,
      to: { cluster },
      judged: true,
      filters,
      callerKnown,
      connectionLifetime,
      accessLog: requestLogs(callerKnown, accessLogSample),
    }),
  ];
}

/** Bytes, judged by what a connection shows: what policies say of HTTP is read as they define it for TCP. */
function passThroughFilters(port: Port, settings: MeshSettings, callerKnown: boolean): Filter[] {
  const { connectionLifetime, accessLogSample } = settings;
  const steps = filterSlots('tcp', settings).map(({ name, types }) =>
    Filter.fromPartial({
      name,
      configType: { $case: 'configDiscovery', value: discoveredFilter(types) },
    }),
  );
  const cluster = clusterOf(port);
  return [
    ...steps,
    tcpFilter(cluster, cluster, connectionLifetime, connectionLogs(callerKnown, accessLogSample)),
  ];
}

/** Ports that are not declared share a cluster: each connection goes on to where it was going. */
function clusterOf({ port, application }: Port): string {
  return names.inboundCluster(application ? port : anyOtherPort);
}
