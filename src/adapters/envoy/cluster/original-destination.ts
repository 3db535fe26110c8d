import type { MeshSettings, ServiceView } from '../../../domain/mesh/index.ts';
import type { DiscoveryResource } from '../../../domain/ports/index.ts';
import {
  Cluster,
  Cluster_DiscoveryType,
  Cluster_LbPolicy,
} from '../../../gen/envoy/config/cluster/v3/cluster.ts';
import { changedBy, drainGeneration } from '../changed-by.ts';
import { names } from '../messages/names.ts';
import { resource } from '../messages/resource.ts';
import { duration } from '../messages/values.ts';
import { outboundTls } from '../tls.ts';
import { asDownstream, httpOptions, unlimited } from './options.ts';

/** Where a captured connection was going, as it is: what no registry knows is no business of ours. */
export function renderPassthrough(): DiscoveryResource {
  return originalDestination(names.passthrough, asDownstream);
}

/**
 * For a service without an address of its own: the endpoint that the application has chosen, over mutual TLS. One
 * cluster a port; without an endpoint that speaks mutual TLS none.
 */
export function renderDirect(
  { service, ports }: ServiceView,
  settings: MeshSettings,
): readonly DiscoveryResource[] {
  if (service.addresses.length > 0) return [];
  const { connectionLifetime, tls } = settings;
  return ports
    .filter(({ spiffeIds }) => spiffeIds.length > 0)
    .map(({ port: { port, protocol }, spiffeIds }) =>
      originalDestination(names.directCluster(service.id, port), {
        ...httpOptions(protocol, connectionLifetime),
        ...changedBy(drainGeneration(settings)),
        transportSocket: outboundTls(spiffeIds, protocol, tls),
      }),
    );
}

/** A cluster whose endpoint is wherever each connection was going. */
export function originalDestination(name: string, more: Partial<Cluster>): DiscoveryResource {
  return resource(
    name,
    Cluster,
    Cluster.fromPartial({
      name,
      clusterDiscoveryType: { $case: 'type', value: Cluster_DiscoveryType.ORIGINAL_DST },
      lbPolicy: Cluster_LbPolicy.CLUSTER_PROVIDED,
      // The application's own deadline comes first, nearly always.
      connectTimeout: duration(30_000),
      circuitBreakers: unlimited,
      ...more,
    }),
  );
}
