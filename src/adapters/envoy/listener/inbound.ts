import type { DiscoveryResource } from '../../../domain/ports/index.ts';
import { TrafficDirection } from '../../../gen/envoy/config/core/v3/base.ts';
import { Listener, Listener_DrainType } from '../../../gen/envoy/config/listener/v3/listener.ts';
import type { FilterChain } from '../../../gen/envoy/config/listener/v3/listener_components.ts';
import { listenerLogs } from '../access-log/loggers.ts';
import { names } from '../messages/names.ts';
import { resource } from '../messages/resource.ts';
import { duration, socketAddress } from '../messages/values.ts';
import { inspectionTimeout, tlsInspector } from './listener-filters.ts';

/** What callers of a workload's port meet. @param filterChains of the port, the same for all who have the like of it */
export function renderInbound(
  addresses: readonly string[],
  port: number,
  filterChains: FilterChain[],
): DiscoveryResource {
  const name = names.inboundListener(port);
  const [first = '0.0.0.0', ...others] = addresses;
  const listener = Listener.fromPartial({
    name,
    address: socketAddress(first, port),
    additionalAddresses: others.map((address) => ({ address: socketAddress(address, port) })),
    trafficDirection: TrafficDirection.INBOUND,
    drainType: Listener_DrainType.MODIFY_ONLY,
    listenerFilters: [tlsInspector],
    listenerFiltersTimeout: duration(inspectionTimeout),
    continueOnListenerFiltersTimeout: true,
    accessLog: listenerLogs(),
  });
  return resource(name, Listener, { ...listener, filterChains });
}
