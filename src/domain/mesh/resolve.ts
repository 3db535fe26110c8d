import { forWorkload, TrustDomain } from '@citadel/spiffe';
import { once } from '../../kernel/index.ts';
import type { ConnectedProxy } from '../ports/index.ts';
import type { MeshSnapshot, Workload } from './model.ts';

interface Identities {
  readonly byProxyKey: ReadonlyMap<string, Workload>;
  /** Those that are known by no key, by the SPIFFE ID that they share. */
  readonly bySpiffeId: ReadonlyMap<string, readonly Workload[]>;
}

/**
 * The workload for which a proxy may speak. Where the platform knows the instance to which the certificate was issued,
 * that one alone; otherwise one of the workloads with the certificate's identity, and what the node says of itself
 * chooses among these: it can narrow, never widen.
 */
export function resolveWorkload(snapshot: MeshSnapshot, proxy: ConnectedProxy): Workload | undefined {
  const { byProxyKey, bySpiffeId } = identify(snapshot);
  const exact = byProxyKey.get(proxy.proxyKey);
  if (exact) return exact;
  const candidates = bySpiffeId.get(proxy.spiffeId) ?? [];
  const named = proxy.nodeMetadata['WORKLOAD_NAME'];
  if (named !== undefined) return candidates.find(({ name }) => name === named);
  return candidates.length === 1 ? candidates[0] : undefined;
}

/** Once for a snapshot: a thousand proxies come back at the same time. */
const identify = once((snapshot: MeshSnapshot): Identities => {
  const trustDomain = TrustDomain.parse(snapshot.settings.trustDomain);
  const byProxyKey = new Map<string, Workload>();
  const bySpiffeId = new Map<string, Workload[]>();
  for (const workload of snapshot.workloads.values()) {
    const { proxyKey, proxy, namespace, serviceAccount } = workload;
    if (proxyKey !== undefined) {
      if (!byProxyKey.has(proxyKey)) byProxyKey.set(proxyKey, workload);
      continue;
    }
    if (proxy === 'none') continue;
    const id = forWorkload(trustDomain, namespace, serviceAccount).toString();
    const sharers = bySpiffeId.get(id);
    if (sharers) sharers.push(workload);
    else bySpiffeId.set(id, [workload]);
  }
  return { byProxyKey, bySpiffeId };
});
