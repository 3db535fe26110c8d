import type { MeshSettings } from '../../../domain/mesh/index.ts';
import { capturePorts, type DiscoveryResource, inboundChains } from '../../../domain/ports/index.ts';
import { TrafficDirection } from '../../../gen/envoy/config/core/v3/base.ts';
import { Listener, Listener_DrainType } from '../../../gen/envoy/config/listener/v3/listener.ts';
import { FilterChain } from '../../../gen/envoy/config/listener/v3/listener_components.ts';
import { listenerLogs } from '../access-log/loggers.ts';
import { names } from '../messages/names.ts';
import { resource } from '../messages/resource.ts';
import { duration } from '../messages/values.ts';
import { capturedPortChains, type JudgedPort } from './chains.ts';
import { addressesOf, type Family } from './families.ts';
import { inspectionTimeout, originalDestination, tlsInspector } from './listener-filters.ts';

/**
 * Who connects to a capture port itself was going nowhere else, and would be sent here again, without end. The kernel's
 * rules refuse it already; a chain without filters closes it where they are not ours. Envoy tries the port first, and
 * no other chain once one has it.
 */
export function refused(port: number): FilterChain {
  return FilterChain.fromPartial({
    name: inboundChains.refused,
    filterChainMatch: { destinationPort: port },
  });
}

/** What callers meet, whichever port they wanted. */
export function renderCapturedInbound(
  families: readonly Family[],
  inbound: readonly JudgedPort[],
  settings: MeshSettings,
): DiscoveryResource {
  const name = names.captureInbound;
  return resource(
    name,
    Listener,
    Listener.fromPartial({
      name,
      ...addressesOf(families, { ipv4: '0.0.0.0', ipv6: '::' }, capturePorts.inbound),
      trafficDirection: TrafficDirection.INBOUND,
      drainType: Listener_DrainType.MODIFY_ONLY,
      listenerFilters: [originalDestination, tlsInspector],
      listenerFiltersTimeout: duration(inspectionTimeout),
      continueOnListenerFiltersTimeout: true,
      accessLog: listenerLogs(),
      filterChains: [
        refused(capturePorts.inbound),
        ...inbound
          .filter(({ port }) => port.port !== capturePorts.inbound)
          .flatMap((port) => capturedPortChains(port, settings)),
      ],
    }),
  );
}
