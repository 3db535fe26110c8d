import { forWorkload, TrustDomain } from '@citadel/spiffe';
import type { ConnectedProxy } from '../ports/index.ts';
import type { MeshSnapshot, Workload } from './model.ts';

/**
 * The workload for which a proxy may speak. Where the platform knows the instance to which the certificate was issued,
 * that one alone; otherwise one of the workloads with the certificate's identity, and what the node says of itself
 * chooses among these: it can narrow, never widen.
 */
export function resolveWorkload(snapshot: MeshSnapshot, proxy: ConnectedProxy): Workload | undefined {
  const all = [...snapshot.workloads.values()];
  const exact = all.find(({ proxyKey }) => proxyKey === proxy.proxyKey);
  if (exact) return exact;
  const trustDomain = TrustDomain.parse(snapshot.settings.trustDomain);
  const candidates = all.filter(
    ({ proxyKey, proxy: mode, namespace, serviceAccount }) =>
      proxyKey === undefined &&
      mode !== 'none' &&
      forWorkload(trustDomain, namespace, serviceAccount).toString() === proxy.spiffeId,
  );
  const named = proxy.nodeMetadata['WORKLOAD_NAME'];
  if (named !== undefined) return candidates.find(({ name }) => name === named);
  return candidates.length === 1 ? candidates[0] : undefined;
}
