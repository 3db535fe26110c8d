import { once } from '../../kernel/index.ts';
import type { MeshSnapshot } from './model.ts';
import type { ProxyView } from './view.ts';

/** Of each workload the services that it stands behind. */
export const servicesByWorkload = once((snapshot: MeshSnapshot): ReadonlyMap<string, ReadonlySet<string>> => {
  const services = new Map<string, Set<string>>();
  for (const { id, ports } of snapshot.services.values()) {
    for (const { workload } of ports.flatMap(({ endpoints }) => endpoints)) {
      if (workload === undefined) continue;
      const known = services.get(workload);
      if (known) known.add(id);
      else services.set(workload, new Set([id]));
    }
  }
  return services;
});

export function mayCall({ workload, services }: ProxyView, called: ReadonlySet<string>): boolean {
  return workload.proxy === 'capture' || services.some(({ service }) => called.has(service.id));
}

/** Of clusters and their endpoints: how a proxy calls others. */
export function isAboutCalls(typeUrl: string): boolean {
  return /\.Cluster(?:LoadAssignment)?$/.test(typeUrl);
}
