import type { MeshSettings, ServiceView } from '../../domain/mesh/index.ts';
import type { DiscoveryResource } from '../../domain/ports/index.ts';
import { once } from '../../kernel/index.ts';
import { renderDirect, renderPassthrough } from './cluster/original-destination.ts';
import { renderCapturedOutbound } from './listener/capture-outbound.ts';
import type { Family } from './listener/families.ts';
import { headlessHttp, renderRoutes } from './listener/headless.ts';

/** What a proxy under capture has for its workload's own calls, beside clusters and endpoints of services. */
export interface CapturedCalls {
  readonly clusters: readonly DiscoveryResource[];
  readonly listener: DiscoveryResource;
  readonly routes: readonly DiscoveryResource[];
}

/**
 * It names every service of the mesh and is the same for all proxies whose workloads have addresses of the same
 * families: it is rendered once a change, and shared.
 */
export function createCapturedCallsRenderer(
  settings: MeshSettings,
): (families: readonly Family[], services: readonly ServiceView[]) => CapturedCalls {
  const byFamilies = once<readonly ServiceView[], Map<string, CapturedCalls>>(() => new Map());
  return (families, services) => {
    const known = byFamilies(services);
    const calls = known.get(families.join()) ?? render(families, services, settings);
    known.set(families.join(), calls);
    return calls;
  };
}

function render(
  families: readonly Family[],
  services: readonly ServiceView[],
  settings: MeshSettings,
): CapturedCalls {
  return {
    clusters: [renderPassthrough(), ...services.flatMap((view) => renderDirect(view, settings))],
    listener: renderCapturedOutbound(families, services, settings),
    routes: [...headlessHttp(services)].map(([port, sharers]) => renderRoutes(port, sharers)),
  };
}
