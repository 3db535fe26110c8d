export {
  type ClusterTrustBundleOptions,
  clusterTrustBundleName,
  createClusterTrustBundlePublisher,
} from './cluster-trust-bundle-publisher.ts';
export { type ConfigMapOptions, createConfigMapPublisher } from './config-map-publisher.ts';
export type { FollowingPublisher } from './following-publisher.ts';
export { createWebhookPublisher, type WebhookPublisherOptions } from './webhook-publisher.ts';
