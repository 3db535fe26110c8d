import type { MeshSettings, ServicePortView, ServiceView } from '../../../domain/mesh/index.ts';
import type { DiscoveryResource } from '../../../domain/ports/index.ts';
import {
  Cluster,
  Cluster_DiscoveryType,
  Cluster_LbPolicy,
  Cluster_TransportSocketMatch,
} from '../../../gen/envoy/config/cluster/v3/cluster.ts';
import { TransportSocket } from '../../../gen/envoy/config/core/v3/base.ts';
import { ApiVersion } from '../../../gen/envoy/config/core/v3/config_source.ts';
import { ClusterLoadAssignment } from '../../../gen/envoy/config/endpoint/v3/endpoint.ts';
import { RawBuffer } from '../../../gen/envoy/extensions/transport_sockets/raw_buffer/v3/raw_buffer.ts';
import { drainGeneration } from '../changed-by.ts';
import { pack } from '../messages/any.ts';
import { names } from '../messages/names.ts';
import { resource } from '../messages/resource.ts';
import { duration, socketAddress } from '../messages/values.ts';
import { outboundTls } from '../tls.ts';
import { httpOptions, leavingOut, unlimited } from './options.ts';

export interface OutboundResources {
  readonly clusters: readonly DiscoveryResource[];
  readonly endpoints: readonly DiscoveryResource[];
}

const connectTimeout = 5_000;
const matchNamespace = 'envoy.transport_socket_match';
const mutualTls = { tlsMode: 'istio' } as const;

const plaintext = TransportSocket.fromPartial({
  name: 'envoy.transport_sockets.raw_buffer',
  configType: {
    $case: 'typedConfig',
    value: pack(
      'envoy.extensions.transport_sockets.raw_buffer.v3.RawBuffer',
      RawBuffer,
      RawBuffer.fromPartial({}),
    ),
  },
});

/** Clusters and endpoints of a service, the same for each of its callers. */
export function renderService(view: ServiceView, settings: MeshSettings): OutboundResources {
  const rendered = view.ports.map((port) => {
    const name = names.outboundCluster(view.service.id, port.port.port);
    return {
      cluster: resource(name, Cluster, cluster(name, port, settings)),
      endpoints: resource(name, ClusterLoadAssignment, loadAssignment(name, port)),
    };
  });
  return {
    clusters: rendered.map((each) => each.cluster),
    endpoints: rendered.map((each) => each.endpoints),
  };
}

function cluster(name: string, view: ServicePortView, settings: MeshSettings): Cluster {
  const { connectionLifetime, tls, outlierDetection } = settings;
  const { protocol } = view.port;
  const overTls = view.spiffeIds.length > 0;
  return Cluster.fromPartial({
    name,
    clusterDiscoveryType: { $case: 'type', value: Cluster_DiscoveryType.EDS },
    edsClusterConfig: {
      edsConfig: {
        resourceApiVersion: ApiVersion.V3,
        configSourceSpecifier: { $case: 'ads', value: {} },
        initialFetchTimeout: { seconds: 0n, nanos: 0 },
      },
    },
    connectTimeout: duration(connectTimeout),
    lbPolicy: Cluster_LbPolicy.LEAST_REQUEST,
    circuitBreakers: unlimited,
    ...(outlierDetection ? { outlierDetection: leavingOut(outlierDetection) } : {}),
    ...httpOptions(protocol, connectionLifetime),
    // Tells which endpoints speak mutual TLS. A pool that was opened in plaintext would outlive the endpoint's change;
    // with this the cluster changes too, and its old pools drain.
    metadata: {
      filterMetadata: {
        'citadel.dev': {
          mutualTls: view.endpoints
            .filter((endpoint) => endpoint.mutualTls)
            .map(({ address, port }) => `${address}:${port}`)
            .toSorted(),
          ...(overTls ? drainGeneration(settings) : {}),
        },
      },
    },
    transportSocketMatches: [
      ...(overTls
        ? [
            Cluster_TransportSocketMatch.fromPartial({
              name: 'mutual-tls',
              match: mutualTls,
              transportSocket: outboundTls(view.spiffeIds, protocol, tls),
            }),
          ]
        : []),
      Cluster_TransportSocketMatch.fromPartial({ name: 'plaintext', match: {}, transportSocket: plaintext }),
    ],
  });
}

function loadAssignment(name: string, view: ServicePortView): ClusterLoadAssignment {
  return ClusterLoadAssignment.fromPartial({
    clusterName: name,
    endpoints: [
      {
        lbEndpoints: view.endpoints.map((endpoint) => ({
          hostIdentifier: {
            $case: 'endpoint' as const,
            value: { address: socketAddress(endpoint.address, endpoint.port) },
          },
          ...(endpoint.mutualTls ? { metadata: { filterMetadata: { [matchNamespace]: mutualTls } } } : {}),
        })),
      },
    ],
  });
}
