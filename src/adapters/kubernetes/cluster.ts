import { type Clock, type Entropy, type Log, systemClock, systemEntropy } from '../../kernel/index.ts';
import { type InClusterOptions, inClusterAccess, kubeconfigAccess } from './access/index.ts';
import { ApiClient, unexpectedReply } from './api/index.ts';

export interface ClusterOptions {
  /** The name that callers give as `clusterid`. */
  readonly clusterId: string;
  /** Absent: the cluster in which this process runs, with its pod's own service account. */
  readonly kubeconfigFile?: string;
  /** A context of the kubeconfig other than its current one. */
  readonly context?: string;
  readonly inCluster?: InClusterOptions;
  /** Milliseconds for one call to the API server, retries included; 5000 by default. */
  readonly timeout?: number;
  readonly log: Log;
  readonly clock?: Clock;
  readonly entropy?: Entropy;
}

/** One Kubernetes cluster and what is needed to call its API server. */
export interface Cluster {
  readonly clusterId: string;
  readonly api: ApiClient;
  readonly clock: Clock;
  readonly entropy: Entropy;
  readonly log: Log;
  /** Asks for the server's version. @throws CitadelError Unavailable when it does not answer */
  ping(signal: AbortSignal): Promise<void>;
  /** Closes its connections. */
  close(): void;
}

/**
 * Makes ready to call a cluster's API server; nothing is sent yet, so that a server starts while an API server is away.
 * @throws CitadelError FailedPrecondition when there is no usable kubeconfig, or no pod around us
 */
export async function connectCluster(options: ClusterOptions): Promise<Cluster> {
  const { clusterId, kubeconfigFile, timeout = 5000, clock = systemClock, entropy = systemEntropy } = options;
  const access =
    kubeconfigFile === undefined
      ? await inClusterAccess(options.inCluster)
      : await kubeconfigAccess(kubeconfigFile, options.context);
  const api = new ApiClient({ access, timeout, clock, entropy });
  return {
    clusterId,
    api,
    clock,
    entropy,
    log: options.log.with({ cluster: clusterId }),
    async ping(signal) {
      const reply = await api.request({ method: 'GET', path: '/version' }, signal);
      if (reply.status !== 200) throw unexpectedReply('version', reply);
    },
    close: () => access.close(),
  };
}
