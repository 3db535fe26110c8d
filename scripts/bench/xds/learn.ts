import {
  clusterType,
  endpointType,
  extensionType,
  listenerType,
  routeType,
} from '../../../src/api/grpc/ads/types.ts';
import { Cluster } from '../../../src/gen/envoy/config/cluster/v3/cluster.ts';
import { Listener } from '../../../src/gen/envoy/config/listener/v3/listener.ts';
import type { Filter } from '../../../src/gen/envoy/config/listener/v3/listener_components.ts';
import {
  HttpConnectionManager,
  type HttpFilter,
} from '../../../src/gen/envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager.ts';
import type { Resource } from '../../../src/gen/envoy/service/discovery/v3/discovery.ts';

/** Names that an Envoy asks for next, by their type. */
export type Wanted = readonly (readonly [typeUrl: string, names: readonly string[]])[];

const httpManager =
  'type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager';

/** By version: what all streams are given is decoded once, since a bench measures the server. */
const known = new Map<string, Wanted>();

/** What a cluster or listener names that has to come by another type, as Envoy finds it there. */
export function wantedBy(typeUrl: string, { version, resource }: Resource): Wanted {
  const key = `${typeUrl} ${version}`;
  const wanted = known.get(key) ?? read(typeUrl, resource?.value ?? Buffer.alloc(0));
  known.set(key, wanted);
  return wanted;
}

function read(typeUrl: string, value: Buffer): Wanted {
  if (typeUrl === clusterType) {
    const { name, edsClusterConfig } = Cluster.decode(value);
    return edsClusterConfig ? [[endpointType, [name]]] : [];
  }
  if (typeUrl !== listenerType) return [];
  const filters = Listener.decode(value).filterChains.flatMap((chain) => chain.filters);
  const managers = filters.flatMap(({ configType }) =>
    configType?.$case === 'typedConfig' && configType.value.typeUrl === httpManager
      ? [HttpConnectionManager.decode(configType.value.value)]
      : [],
  );
  const extensions = [...filters, ...managers.flatMap(({ httpFilters }) => httpFilters)].flatMap(discovered);
  const routes = managers.flatMap(({ routeSpecifier }) =>
    routeSpecifier?.$case === 'rds' ? [routeSpecifier.value.routeConfigName] : [],
  );
  return [
    [routeType, routes],
    [extensionType, extensions],
  ];
}

/** A filter of either layer whose configuration comes by ECDS. */
function discovered({ name, configType }: Filter | HttpFilter): readonly string[] {
  return configType?.$case === 'configDiscovery' ? [name] : [];
}
