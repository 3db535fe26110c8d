import type { WorkloadDirectory } from '../../domain/ports/index.ts';
import { listAll } from './api/index.ts';
import type { Cluster } from './cluster.ts';
import { fetchPod, isNamespaceName, isObjectName, mayRun, readPod } from './pod.ts';

/** What the cluster's API server knows of its pods; every question is asked anew. */
export function createWorkloadDirectory(cluster: Cluster): WorkloadDirectory {
  return {
    async getPod(namespace, name, signal) {
      const pod = await fetchPod(cluster.api, namespace, name, signal);
      if (pod === undefined) return undefined;
      const { deletionDeadline: _, ...record } = pod;
      return record;
    },
    async hasPodOnNode({ nodeName, namespace, serviceAccount }, signal) {
      // Also keeps a name from adding conditions of its own to the field selector.
      if (!isNamespaceName(namespace) || !isObjectName(nodeName) || !isObjectName(serviceAccount))
        return false;
      const { items } = await listAll(
        cluster.api,
        `/api/v1/namespaces/${namespace}/pods`,
        { fieldSelector: `spec.nodeName=${nodeName},spec.serviceAccountName=${serviceAccount}` },
        signal,
      );
      const now = cluster.clock.now();
      return items
        .map(readPod)
        .some(
          (pod) =>
            pod !== undefined &&
            pod.nodeName === nodeName &&
            pod.serviceAccount === serviceAccount &&
            mayRun(pod, now),
        );
    },
  };
}
