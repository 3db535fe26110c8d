export type { AccessCredentials, ClusterAccess } from './access.ts';
export { type InClusterOptions, inClusterAccess } from './in-cluster.ts';
export { kubeconfigAccess } from './kubeconfig.ts';
