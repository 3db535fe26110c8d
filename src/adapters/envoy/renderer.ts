import type {
  AppProtocol,
  EgressListener,
  InboundPort,
  MeshSettings,
  ProxyView,
  ServiceView,
  WorkloadPort,
} from '../../domain/mesh/index.ts';
import type { DiscoveryResource, DiscoveryResources, ProxyRenderer } from '../../domain/ports/index.ts';
import type { TrustBundleSnapshot } from '../../domain/trust/index.ts';
import { byContent, once } from '../../kernel/index.ts';
import { createCapturedCallsRenderer } from './capture.ts';
import { renderApplication, renderUndeclared } from './cluster/inbound.ts';
import { renderService } from './cluster/outbound.ts';
import { createFiltersRenderer } from './filters.ts';
import { renderCapturedInbound } from './listener/capture-inbound.ts';
import { type JudgedPort, portChains } from './listener/chains.ts';
import { renderEgress } from './listener/egress.ts';
import { type Family, familiesOf } from './listener/families.ts';
import { isHttp } from './listener/http.ts';
import { renderInbound } from './listener/inbound.ts';
import { typeUrlOf } from './messages/any.ts';
import { createMaps } from './messages/maps.ts';
import { resourceTypes } from './messages/resource.ts';
import { renderSecrets } from './secrets.ts';

const none: readonly DiscoveryResource[] = [];

/**
 * Renders for Envoy. What is made of the same is the very same object, from one change to the next and for all proxies,
 * down to the map of a type: it is encoded and hashed once, held once, and seen to be the same without a comparison.
 */
export function createEnvoyRenderer(): ProxyRenderer {
  const under = once(rendererUnder);
  return { render: (view) => under(view.settings)(view) };
}

function rendererUnder(settings: MeshSettings): (view: ProxyView) => DiscoveryResources {
  const mapOf = createMaps();
  const application = byContent(renderApplication);
  const undeclared = byContent(renderUndeclared);
  const chains = byContent((port: JudgedPort) => portChains(port, settings));
  const inboundListener = byContent((addresses: readonly string[], port: JudgedPort) =>
    renderInbound(addresses, port.port.port, chains(port)),
  );
  const capturedInbound = byContent((families: readonly Family[], ports: readonly JudgedPort[]) =>
    renderCapturedInbound(families, ports, settings),
  );
  const egressListener = byContent((listener: EgressListener, protocol: AppProtocol) =>
    renderEgress(listener, protocol, settings),
  );
  const capturedCalls = createCapturedCallsRenderer(settings);
  const filtersOf = createFiltersRenderer(settings);
  const serviceOf = once((view: ServiceView) => renderService(view, settings));
  const called = once((services: readonly ServiceView[]) => ({
    clusters: services.flatMap((view) => serviceOf(view).clusters),
    endpoints: services.flatMap((view) => serviceOf(view).endpoints),
  }));

  const secrets = once((bundles: readonly TrustBundleSnapshot[]) =>
    renderSecrets(bundles, settings.trustDomain),
  );

  return (view) => {
    const { inbound, egress, services, workload } = view;
    const { addresses } = workload;
    const filters = filtersOf(view);
    const ports = inbound.map((each) => ({ ...each, judgement: filters.judgement }));
    const families = familiesOf(addresses);
    const calls = workload.proxy === 'capture' ? capturedCalls(families, services) : undefined;
    return new Map(
      Object.entries({
        [resourceTypes.cluster]: mapOf(
          ...inbound.map(({ port }) =>
            isDeclared(port) ? application(port, calls !== undefined) : undeclared(),
          ),
          called(services).clusters,
          calls?.clusters ?? none,
        ),
        [resourceTypes.endpoints]: mapOf(called(services).endpoints),
        [resourceTypes.listener]: mapOf(
          ...(calls
            ? [capturedInbound(families, ports), calls.listener]
            : ports.map((port) => inboundListener(addresses, port))),
          ...egress.flatMap((listener) => {
            const protocol = protocolOf(listener, services);
            return protocol ? [egressListener(listener, protocol)] : [];
          }),
        ),
        [resourceTypes.route]: mapOf(calls?.routes ?? none),
        [resourceTypes.extension]: mapOf(
          inbound.some(({ port }) => isHttp(port.protocol)) ? filters.http() : none,
          inbound.length > 0 ? filters.network : none,
        ),
        [resourceTypes.secret]: mapOf(secrets(view.bundles)),
      }).map(([name, resources]) => [typeUrlOf(name), resources]),
    );
  };
}

function isDeclared(port: InboundPort['port']): port is WorkloadPort {
  return port.application !== undefined;
}

/** Undefined while no registry knows the service. */
function protocolOf(
  { service, servicePort }: EgressListener,
  services: readonly ServiceView[],
): AppProtocol | undefined {
  return services
    .find((view) => view.service.id === service)
    ?.ports.find(({ port }) => port.port === servicePort)?.port.protocol;
}
