import type { MeshSettings, ProxyView, ServiceView, Workload } from '../../domain/mesh/index.ts';
import type { DiscoveryResource } from '../../domain/ports/index.ts';
import { sameMembers } from '../../kernel/index.ts';
import { renderDirect, renderPassthrough } from './cluster/original-destination.ts';
import { renderCapturedInbound } from './listener/capture-inbound.ts';
import { renderCapturedOutbound } from './listener/capture-outbound.ts';
import { headlessHttp, renderRoutes } from './listener/headless.ts';

export interface CaptureResources {
  readonly clusters: readonly DiscoveryResource[];
  readonly listeners: readonly DiscoveryResource[];
  readonly routes: readonly DiscoveryResource[];
}

interface Outbound extends CaptureResources {
  readonly services: readonly ServiceView[];
  readonly families: string;
}

/**
 * What a proxy under capture has beside clusters of services. The outbound half names every service of the mesh and is
 * the same for all proxies of a kind: it is rendered once a change, and its bytes are shared.
 */
export function createCaptureRenderer(): (view: ProxyView) => CaptureResources {
  const recent = new Map<string, Outbound>();
  return (view) => {
    const { workload, services, settings } = view;
    const families = familiesOf(workload);
    let outbound = recent.get(families);
    if (!outbound || !sameMembers(outbound.services, services)) {
      outbound = { ...renderOutbound(workload, services, settings), services, families };
      recent.set(families, outbound);
    }
    return {
      clusters: outbound.clusters,
      listeners: [renderCapturedInbound(view), ...outbound.listeners],
      routes: outbound.routes,
    };
  };
}

function renderOutbound(
  workload: Workload,
  services: readonly ServiceView[],
  settings: MeshSettings,
): CaptureResources {
  return {
    clusters: [
      renderPassthrough(),
      ...services.flatMap((view) => renderDirect(view, settings.connectionLifetime)),
    ],
    listeners: [renderCapturedOutbound(workload, services, settings)],
    routes: [...headlessHttp(services)].map(([port, sharers]) => renderRoutes(port, sharers)),
  };
}

function familiesOf({ addresses }: Workload): string {
  return [...new Set(addresses.map((address) => (address.includes(':') ? 'ipv6' : 'ipv4')))]
    .toSorted()
    .join();
}
