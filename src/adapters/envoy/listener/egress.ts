import type { AppProtocol, EgressListener, MeshSettings } from '../../../domain/mesh/index.ts';
import type { DiscoveryResource } from '../../../domain/ports/index.ts';
import { TrafficDirection } from '../../../gen/envoy/config/core/v3/base.ts';
import { Listener, Listener_DrainType } from '../../../gen/envoy/config/listener/v3/listener.ts';
import { names } from '../messages/names.ts';
import { resource } from '../messages/resource.ts';
import { socketAddress } from '../messages/values.ts';
import { httpFilter, isHttp } from './http.ts';
import { tcpFilter } from './tcp.ts';

/** A port on which a workload calls a service through its proxy. */
export function renderEgress(
  egress: EgressListener,
  protocol: AppProtocol,
  { connectionLifetime }: MeshSettings,
): DiscoveryResource {
  const name = names.egressListener(egress.address, egress.port);
  const cluster = names.outboundCluster(egress.service, egress.servicePort);
  return resource(
    name,
    Listener,
    Listener.fromPartial({
      name,
      address: socketAddress(egress.address, egress.port),
      trafficDirection: TrafficDirection.OUTBOUND,
      drainType: Listener_DrainType.MODIFY_ONLY,
      filterChains: [
        {
          filters: [
            isHttp(protocol)
              ? httpFilter({
                  name: cluster,
                  to: { cluster },
                  judged: false,
                  filters: [],
                  callerKnown: false,
                  connectionLifetime,
                })
              : tcpFilter(cluster, cluster, connectionLifetime),
          ],
        },
      ],
    }),
  );
}
