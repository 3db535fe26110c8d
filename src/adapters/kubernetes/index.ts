export { type Cluster, type ClusterOptions, connectCluster } from './cluster.ts';
export {
  type ClusterTrustBundleOptions,
  type ConfigMapOptions,
  createClusterTrustBundlePublisher,
  createConfigMapPublisher,
  createWebhookPublisher,
  type FollowingPublisher,
  type WebhookPublisherOptions,
} from './publish/index.ts';
export { createKubernetesTokenAttestor, type KubernetesTokenAttestorOptions } from './token/index.ts';
export { createWorkloadDirectory } from './workload-directory.ts';
