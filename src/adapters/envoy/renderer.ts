import type { MeshSettings, ServiceView } from '../../domain/mesh/index.ts';
import type { DiscoveryResource, ProxyRenderer } from '../../domain/ports/index.ts';
import { createCaptureRenderer } from './capture.ts';
import { renderApplications } from './cluster/inbound.ts';
import { type OutboundResources, renderService } from './cluster/outbound.ts';
import { createFiltersRenderer } from './filters.ts';
import { renderEgress } from './listener/egress.ts';
import { renderInbound } from './listener/inbound.ts';
import { typeUrlOf } from './messages/any.ts';
import { resourceTypes } from './messages/resource.ts';

/** Renders for Envoy. What belongs to a service is rendered once for all its callers, and its bytes are shared. */
export function createEnvoyRenderer(): ProxyRenderer {
  const services = new WeakMap<ServiceView, OutboundResources>();
  const outbound = (view: ServiceView, settings: MeshSettings): OutboundResources => {
    let rendered = services.get(view);
    if (!rendered) {
      rendered = renderService(view, settings.connectionLifetime);
      services.set(view, rendered);
    }
    return rendered;
  };
  const capture = createCaptureRenderer();
  const filters = createFiltersRenderer();
  return {
    render(view) {
      const { inbound, egress, settings, workload } = view;
      const called = view.services.map((service) => outbound(service, settings));
      const captured = workload.proxy === 'capture' ? capture(view) : undefined;
      return new Map(
        Object.entries({
          [resourceTypes.cluster]: [
            ...renderApplications(inbound, captured !== undefined),
            ...called.flatMap(({ clusters }) => clusters),
            ...(captured?.clusters ?? []),
          ],
          [resourceTypes.endpoints]: called.flatMap(({ endpoints }) => endpoints),
          [resourceTypes.listener]: [
            ...(captured?.listeners ?? inbound.map((port) => renderInbound(workload, port, settings))),
            ...egress.flatMap((listener) => renderEgress(listener, view.services, settings) ?? []),
          ],
          [resourceTypes.route]: captured?.routes ?? [],
          [resourceTypes.extension]: filters(view),
        }).map(([name, resources]) => [typeUrlOf(name), byName(resources)]),
      );
    },
  };
}

function byName(resources: readonly DiscoveryResource[]): ReadonlyMap<string, DiscoveryResource> {
  return new Map(resources.map((each) => [each.name, each]));
}
