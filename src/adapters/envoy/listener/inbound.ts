import type { MeshSettings } from '../../../domain/mesh/index.ts';
import type { DiscoveryResource } from '../../../domain/ports/index.ts';
import { TrafficDirection } from '../../../gen/envoy/config/core/v3/base.ts';
import { Listener, Listener_DrainType } from '../../../gen/envoy/config/listener/v3/listener.ts';
import { listenerLogs } from '../access-log/loggers.ts';
import { names } from '../messages/names.ts';
import { resource } from '../messages/resource.ts';
import { duration, socketAddress } from '../messages/values.ts';
import { type JudgedPort, portChains } from './chains.ts';
import { inspectionTimeout, tlsInspector } from './listener-filters.ts';

/** What callers of a workload's port meet. */
export function renderInbound(
  addresses: readonly string[],
  inbound: JudgedPort,
  settings: MeshSettings,
): DiscoveryResource {
  const { port } = inbound.port;
  const name = names.inboundListener(port);
  const [first = '0.0.0.0', ...others] = addresses;
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
      accessLog: listenerLogs(),
      filterChains: portChains(inbound, settings),
    }),
  );
}
