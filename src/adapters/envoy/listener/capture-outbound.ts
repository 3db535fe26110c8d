import { isIPv6 } from 'node:net';
import type { MeshSettings, ServicePortView, ServiceView } from '../../../domain/mesh/index.ts';
import { capturePorts, type DiscoveryResource } from '../../../domain/ports/index.ts';
import { TrafficDirection } from '../../../gen/envoy/config/core/v3/base.ts';
import { Listener, Listener_DrainType } from '../../../gen/envoy/config/listener/v3/listener.ts';
import { type Filter, FilterChain } from '../../../gen/envoy/config/listener/v3/listener_components.ts';
import { names } from '../messages/names.ts';
import { resource } from '../messages/resource.ts';
import { duration } from '../messages/values.ts';
import { refused } from './capture-inbound.ts';
import { addressesOf, type Family } from './families.ts';
import { headlessHttp } from './headless.ts';
import { httpFilter, isHttp } from './http.ts';
import { httpInspector, httpProtocols, inspectionTimeout, originalDestination } from './listener-filters.ts';
import { tcpFilter } from './tcp.ts';

/** Where applications' calls go: to the service whose address they name, or on to where they were going. */
export function renderCapturedOutbound(
  families: readonly Family[],
  services: readonly ServiceView[],
  { connectionLifetime }: MeshSettings,
): DiscoveryResource {
  const name = names.captureOutbound;
  const byHost = [...headlessHttp(services).keys()].toSorted((a, b) => a - b);
  return resource(
    name,
    Listener,
    Listener.fromPartial({
      name,
      // From the machine itself alone: the kernel brings its own connections to these.
      ...addressesOf(families, { ipv4: '127.0.0.1', ipv6: '::1' }, capturePorts.outbound),
      trafficDirection: TrafficDirection.OUTBOUND,
      drainType: Listener_DrainType.MODIFY_ONLY,
      listenerFilters: [originalDestination, ...(byHost.length > 0 ? [httpInspector(byHost)] : [])],
      listenerFiltersTimeout: duration(inspectionTimeout),
      continueOnListenerFiltersTimeout: true,
      filterChains: [
        refused(capturePorts.outbound),
        ...addressedChains(services, connectionLifetime),
        ...byHost
          .filter((port) => port !== capturePorts.outbound)
          .map((port) => byHostChain(port, connectionLifetime)),
      ],
      // Also for a port that other chains have, where none of them has the address or the protocol.
      defaultFilterChain: {
        name: names.passthrough,
        filters: [tcpFilter(names.passthrough, names.passthrough, undefined)],
      },
    }),
  );
}

/** Envoy refuses two chains for the same address and port: the first service has it. */
function addressedChains(services: readonly ServiceView[], connectionLifetime: number): FilterChain[] {
  const taken = new Set<string>();
  return services.flatMap((view) =>
    view.ports.flatMap((port) =>
      destinations(view, port).flatMap(({ number, addresses, cluster }): FilterChain[] => {
        const key = (address: string) => `${address} ${number}`;
        const free = addresses.filter((address) => !taken.has(key(address)));
        for (const address of free) taken.add(key(address));
        if (free.length === 0 || number === capturePorts.outbound) return [];
        return [
          FilterChain.fromPartial({
            name: number === port.port.port ? cluster : `${cluster}/${number}`,
            filterChainMatch: {
              destinationPort: number,
              prefixRanges: free.map((address) => ({
                addressPrefix: address,
                prefixLen: isIPv6(address) ? 128 : 32,
              })),
            },
            filters: [toService(port, cluster, connectionLifetime)],
          }),
        ];
      }),
    ),
  );
}

interface Destinations {
  readonly number: number;
  readonly addresses: readonly string[];
  readonly cluster: string;
}

/**
 * The addresses that mean a service: its own; or, where it has none and is not told by the host of a request, those of
 * its endpoints, each of which is then the one that is called.
 */
function destinations({ service }: ServiceView, { port, endpoints }: ServicePortView): Destinations[] {
  if (service.addresses.length > 0) {
    const cluster = names.outboundCluster(service.id, port.port);
    return [{ number: port.port, addresses: service.addresses, cluster }];
  }
  if (isHttp(port.protocol)) return [];
  const direct = endpoints.filter(({ mutualTls }) => mutualTls);
  return [...new Set(direct.map((endpoint) => endpoint.port))].map((number) => ({
    number,
    addresses: direct
      .filter((endpoint) => endpoint.port === number)
      .flatMap((endpoint) => endpoint.addresses),
    cluster: names.directCluster(service.id, port.port),
  }));
}

function toService({ port }: ServicePortView, cluster: string, connectionLifetime: number): Filter {
  if (!isHttp(port.protocol)) return tcpFilter(cluster, cluster, connectionLifetime);
  return outboundHttp(cluster, { cluster }, connectionLifetime);
}

function byHostChain(port: number, connectionLifetime: number): FilterChain {
  const routes = names.outboundRoutes(port);
  return FilterChain.fromPartial({
    name: routes,
    filterChainMatch: { destinationPort: port, applicationProtocols: [...httpProtocols] },
    filters: [outboundHttp(routes, { routes }, connectionLifetime)],
  });
}

/** As the application has sent it: what is judged is judged by the callee's proxy. */
function outboundHttp(
  name: string,
  to: Parameters<typeof httpFilter>[0]['to'],
  connectionLifetime: number,
): Filter {
  return httpFilter({ name, to, judged: false, filters: [], callerKnown: false, connectionLifetime });
}
