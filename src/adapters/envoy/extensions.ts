import type { InboundPort, ProxyView } from '../../domain/mesh/index.ts';
import type { DiscoveryResource } from '../../domain/ports/index.ts';
import { TypedExtensionConfig } from '../../gen/envoy/config/core/v3/extension.ts';
import { RBAC as HttpRbac } from '../../gen/envoy/extensions/filters/http/rbac/v3/rbac.ts';
import { RBAC as NetworkRbac } from '../../gen/envoy/extensions/filters/network/rbac/v3/rbac.ts';
import type { Any } from '../../gen/google/protobuf/any.ts';
import { isHttp } from './listener/http.ts';
import { httpSteps, tcpSteps } from './listener/steps.ts';
import { pack } from './messages/any.ts';
import { type FilterStep, names } from './messages/names.ts';
import { resource } from './messages/resource.ts';

/** What the filters of a port do: the policies that hold for it, step by step. */
export function renderFilters(_view: ProxyView, { port }: InboundPort): DiscoveryResource[] {
  const tcp = tcpSteps.map(([step]) =>
    extension(names.filter(port.port, 'tcp', step), passNetwork(step, port.port)),
  );
  if (!isHttp(port.protocol)) return tcp;
  return [...httpSteps.map(([step]) => extension(names.filter(port.port, 'http', step), passHttp)), ...tcp];
}

function extension(name: string, typedConfig: Any): DiscoveryResource {
  return resource(name, TypedExtensionConfig, TypedExtensionConfig.fromPartial({ name, typedConfig }));
}

/** A filter without rules lets everything pass. */
const passHttp = pack('envoy.extensions.filters.http.rbac.v3.RBAC', HttpRbac, HttpRbac.fromPartial({}));

function passNetwork(step: FilterStep, port: number): Any {
  return pack(
    'envoy.extensions.filters.network.rbac.v3.RBAC',
    NetworkRbac,
    NetworkRbac.fromPartial({ statPrefix: names.filter(port, 'tcp', step) }),
  );
}
