import { once } from '../../kernel/index.ts';
import type { MeshSnapshot } from './model.ts';
import type { ProxyState } from './proxy-tracker.ts';
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

/** Whether a proxy has accepted how it is to call others. What it did not ask for it does not call. */
export function callsAsTold({ resources }: ProxyState): boolean {
  return resources.every(
    ({ typeUrl, wanted, sent, accepted }) =>
      !/\.Cluster(?:LoadAssignment)?$/.test(typeUrl) ||
      accepted === wanted ||
      (sent === undefined && wanted !== undefined),
  );
}
