import type { ServicePortView, ServiceView } from '../../../domain/mesh/index.ts';
import type { DiscoveryResource } from '../../../domain/ports/index.ts';
import { RouteConfiguration } from '../../../gen/envoy/config/route/v3/route.ts';
import type { VirtualHost } from '../../../gen/envoy/config/route/v3/route_components.ts';
import { names } from '../messages/names.ts';
import { resource } from '../messages/resource.ts';
import { isHttp, virtualHost } from './http.ts';

/** A port of a service without an address of its own, as its callers may address it. */
interface HeadlessPort {
  readonly view: ServiceView;
  readonly port: ServicePortView;
}

/**
 * The HTTP services that have no address of their own, by the ports at which their endpoints are called: that is the
 * service's, and the endpoints' own where they differ, since nothing translates one to the other.
 */
export function headlessHttp(services: readonly ServiceView[]): ReadonlyMap<number, readonly HeadlessPort[]> {
  const byPort = new Map<number, HeadlessPort[]>();
  for (const view of services) {
    if (view.service.addresses.length > 0) continue;
    for (const port of view.ports.filter((each) => isHttp(each.port.protocol))) {
      const called = new Set([port.port.port, ...port.endpoints.map((endpoint) => endpoint.port)]);
      for (const number of called) {
        const known = byPort.get(number);
        if (known) known.push({ view, port });
        else byPort.set(number, [{ view, port }]);
      }
    }
  }
  return byPort;
}

/** By host, or by the endpoint's address, which is then the one that is called; all else goes where it was going. */
export function renderRoutes(port: number, sharers: readonly HeadlessPort[]): DiscoveryResource {
  const name = names.outboundRoutes(port);
  // Envoy refuses routes in which two have the same host: the first service has it.
  const taken = new Set<string>(['*']);
  const free = (hosts: readonly string[]) =>
    hosts
      .flatMap((host) => [host, `${host}:${port}`])
      .filter((domain) => !taken.has(domain) && taken.add(domain));
  const hosts = sharers.flatMap(({ view: { service }, port: { port: own, endpoints } }): VirtualHost[] => {
    const byName = free(service.hosts);
    const byAddress = free(
      endpoints
        .filter((endpoint) => endpoint.mutualTls && endpoint.port === port)
        .flatMap(({ addresses }) => addresses)
        .map((address) => (address.includes(':') ? `[${address}]` : address)),
    );
    const id = `${service.id}/${own.port}`;
    return [
      ...(byName.length > 0 ? [virtualHost(id, byName, names.outboundCluster(service.id, own.port))] : []),
      ...(byAddress.length > 0
        ? [virtualHost(`${id}/direct`, byAddress, names.directCluster(service.id, own.port))]
        : []),
    ];
  });
  return resource(
    name,
    RouteConfiguration,
    RouteConfiguration.fromPartial({
      name,
      validateClusters: false,
      virtualHosts: [...hosts, virtualHost('passthrough', ['*'], names.passthrough)],
    }),
  );
}
