import { isIPv6 } from 'node:net';
import { anyOtherPort, type WorkloadPort } from '../../../domain/mesh/index.ts';
import { captureSources, type DiscoveryResource } from '../../../domain/ports/index.ts';
import { Cluster, Cluster_DiscoveryType } from '../../../gen/envoy/config/cluster/v3/cluster.ts';
import { BindConfig, SocketAddress } from '../../../gen/envoy/config/core/v3/address.ts';
import { names } from '../messages/names.ts';
import { resource } from '../messages/resource.ts';
import { duration, socketAddress } from '../messages/values.ts';
import { httpOptions, unlimited } from './options.ts';
import { originalDestination } from './original-destination.ts';

/**
 * The application itself, behind its proxy.
 * @param captured whether the proxy's connections to it must be told from others, lest they be captured again
 */
export function renderApplication(
  { port, protocol, application }: WorkloadPort,
  captured: boolean,
): DiscoveryResource {
  const name = names.inboundCluster(port);
  const { ipv4, ipv6 } = captureSources;
  return resource(
    name,
    Cluster,
    Cluster.fromPartial({
      name,
      clusterDiscoveryType: { $case: 'type', value: Cluster_DiscoveryType.STATIC },
      connectTimeout: duration(5_000),
      circuitBreakers: unlimited,
      ...httpOptions(protocol, undefined),
      ...(captured ? { upstreamBindConfig: bindTo(isIPv6(application.address) ? ipv6 : ipv4) } : {}),
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

/** The application on any port, at the address by which it was called. */
export function renderUndeclared(): DiscoveryResource {
  return originalDestination(names.inboundCluster(anyOtherPort), {
    connectTimeout: duration(5_000),
    upstreamBindConfig: bindTo(captureSources.ipv4, captureSources.ipv6),
  });
}

/** Envoy takes the one of the family of what it connects to. */
function bindTo(address: string, ...others: readonly string[]): BindConfig {
  return BindConfig.fromPartial({
    sourceAddress: source(address),
    extraSourceAddresses: others.map((other) => ({ address: source(other) })),
  });
}

function source(address: string): SocketAddress {
  return SocketAddress.fromPartial({ address, portSpecifier: { $case: 'portValue', value: 0 } });
}
