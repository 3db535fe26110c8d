import type { Unable } from '../domain/rotation/index.ts';
import type { ServerConfig } from './config/index.ts';

/**
 * Who verifies certificates of ours without having one, and so without a way to say with what. Readers of the ConfigMap are
 * not among them: they read it to ask for certificates, and are asked themselves.
 */
export function outsideVerifiers({ mesh, publish }: ServerConfig): readonly Unable[] {
  const why = 'it does not say what it verifies with';
  return [
    ...(mesh?.sources.kubernetes ? ['the Kubernetes API server, which calls the webhook'] : []),
    ...(publish.clusterTrustBundle ? ['whoever reads the ClusterTrustBundle'] : []),
  ].map((name) => ({ name, proxyKey: '', why }));
}
