import type { Cluster } from '../adapters/kubernetes/index.ts';
import type { AuthorityService } from '../domain/authority/index.ts';
import { type Clock, describeError, type Entropy, type Log } from '../kernel/index.ts';
import type { ServerConfig } from './config/index.ts';

interface Ports {
  readonly clock: Clock;
  readonly entropy: Entropy;
  readonly log: Log;
}

/** Every cluster of the configuration, by its id. Loads the Kubernetes client only where there is one. */
export async function connectClusters(
  config: ServerConfig,
  ports: Ports,
): Promise<ReadonlyMap<string, Cluster>> {
  const { kubernetes } = config.attestation;
  const clusters = new Map<string, Cluster>();
  if (!kubernetes) return clusters;
  const { connectCluster } = await import('../adapters/kubernetes/index.ts');
  for (const { id, kubeconfig, context } of kubernetes.clusters) {
    const cluster = await connectCluster({
      clusterId: id,
      timeout: kubernetes.reviewTimeout,
      ...(kubeconfig === undefined ? {} : { kubeconfigFile: kubeconfig }),
      ...(context === undefined ? {} : { context }),
      ...ports,
    });
    clusters.set(id, cluster);
  }
  return clusters;
}

export interface PublishingOptions extends Ports {
  readonly config: ServerConfig;
  readonly clusters: ReadonlyMap<string, Cluster>;
  readonly authority: Pick<AuthorityService, 'bundle' | 'onBundleChange'>;
  readonly signal: AbortSignal;
}

/** Publishes the bundle into every cluster, for callers and for API servers that ask the webhook: at start, at each change, for each new namespace, and periodically. */
export async function publishBundles(options: PublishingOptions): Promise<void> {
  const { config, clusters, authority, clock, log, signal } = options;
  const { configMap, clusterTrustBundle, interval } = config.publish;
  const given = config.mesh?.sources.kubernetes?.webhook;
  const webhook = given?.keepBundle === true ? given : undefined;
  if (clusters.size === 0 || (!configMap && !clusterTrustBundle && !webhook)) return;
  const { createClusterTrustBundlePublisher, createConfigMapPublisher, createWebhookPublisher } =
    await import('../adapters/kubernetes/index.ts');
  const publishers = [...clusters.values()].flatMap((cluster) => [
    ...(configMap ? [createConfigMapPublisher(cluster, { ...configMap, log })] : []),
    ...(clusterTrustBundle
      ? [createClusterTrustBundlePublisher(cluster, { ...clusterTrustBundle, log })]
      : []),
    ...(webhook ? [createWebhookPublisher(cluster, { name: webhook.configuration, log })] : []),
  ]);
  const publishAll = () =>
    Promise.all(
      publishers.map((publisher) =>
        publisher.publish(authority.bundle(), signal).catch((error: unknown) => {
          if (!signal.aborted)
            log.warn(`${publisher.name} could not be published`, { cause: describeError(error) });
        }),
      ),
    );
  const stop = authority.onBundleChange(() => void publishAll());
  const periodically = async () => {
    while (!signal.aborted) {
      await publishAll();
      await clock.sleep(interval, signal).catch(() => {});
    }
  };
  await Promise.all([
    periodically(),
    ...publishers.map((publisher) => publisher.watch(() => authority.bundle(), signal)),
  ]);
  stop();
}
