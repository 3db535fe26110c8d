import type { WorkloadPort } from '../../../domain/mesh/index.ts';
import type { DiscoveryResource } from '../../../domain/ports/index.ts';
import { Cluster, Cluster_DiscoveryType } from '../../../gen/envoy/config/cluster/v3/cluster.ts';
import { names } from '../messages/names.ts';
import { resource } from '../messages/resource.ts';
import { duration, socketAddress } from '../messages/values.ts';
import { httpOptions, unlimited } from './options.ts';

/** The application itself, behind its proxy. */
export function renderApplication({ port, protocol, application }: WorkloadPort): DiscoveryResource {
  const name = names.inboundCluster(port);
  return resource(
    name,
    Cluster,
    Cluster.fromPartial({
      name,
      clusterDiscoveryType: { $case: 'type', value: Cluster_DiscoveryType.STATIC },
      connectTimeout: duration(5_000),
      circuitBreakers: unlimited,
      ...httpOptions(protocol, undefined),
      loadAssignment: {
        clusterName: name,
        endpoints: [
          {
            lbEndpoints: [
              {
                hostIdentifier: {
                  $case: 'endpoint',
                  value: { address: socketAddress(application.address, application.port) },
                },
              },
            ],
          },
        ],
      },
    }),
  );
}
