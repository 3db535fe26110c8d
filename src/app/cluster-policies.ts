import { readFileSync } from 'node:fs';
import type { Cluster } from '../adapters/kubernetes/index.ts';
import type { Refusal } from '../api/listen/index.ts';
import type { WebhookClients, WebhookListener } from '../api/webhook/index.ts';
import { describePolicyProblem, judgePolicy, readPolicy } from '../domain/policy/index.ts';
import type { ServingCertificateSource } from '../domain/serving/index.ts';
import { CitadelError, type Log } from '../kernel/index.ts';
import type { ServerConfig } from './config/index.ts';
import type { OpenControlPlane } from './control-plane.ts';

export interface ClusterPoliciesOptions {
  readonly config: ServerConfig;
  readonly clusters: ReadonlyMap<string, Cluster>;
  readonly controlPlane: OpenControlPlane | undefined;
  readonly certificates: ServingCertificateSource;
  readonly onRefused: (refusal: Refusal) => void;
  readonly log: Log;
}

export interface ClusterPolicies extends AsyncDisposable {
  readonly webhook: WebhookListener;
}

/**
 * What authors of policies in Kubernetes are told: whether one is good, before it is stored, and what became of it, in
 * its status. Undefined where no cluster is followed; nothing of it is loaded then.
 * @throws CitadelError FailedPrecondition when the webhook's port or its authorities cannot be opened
 */
export async function serveClusterPolicies(
  options: ClusterPoliciesOptions,
): Promise<ClusterPolicies | undefined> {
  const { config, controlPlane } = options;
  const settings = config.mesh?.sources.kubernetes;
  if (!settings || !controlPlane) return undefined;
  const webhook = await openWebhook(options, controlPlane, clientsOf(settings.webhook));
  const closing = new AbortController();
  const written = settings.policyStatus ? writeStatuses(options, controlPlane, closing.signal) : undefined;
  return {
    webhook,
    async [Symbol.asyncDispose]() {
      closing.abort();
      await Promise.all([webhook.close(), written]);
    },
  };
}

type WebhookSettings = NonNullable<NonNullable<ServerConfig['mesh']>['sources']['kubernetes']>['webhook'];

function clientsOf({ clientAuthorities, clientNames }: WebhookSettings): WebhookClients | undefined {
  if (clientAuthorities === undefined) return undefined;
  const authorities = () => {
    try {
      return readFileSync(clientAuthorities, 'utf8');
    } catch (cause) {
      const message = `mesh.sources.kubernetes.webhook.clientAuthorities cannot be read`;
      throw new CitadelError('FailedPrecondition', message, { details: clientAuthorities, cause });
    }
  };
  return { authorities, names: clientNames };
}

async function openWebhook(
  { config, certificates, onRefused, log }: ClusterPoliciesOptions,
  { settings, plane }: OpenControlPlane,
  clients: WebhookClients | undefined,
): Promise<WebhookListener> {
  const { defaultWebhookLimits, startWebhookListener } = await import('../api/webhook/index.ts');
  const { handshakeTimeout, requestTimeout, callsPerSecondPerPeer } = config.limits;
  return await startWebhookListener({
    address: config.listen.webhook,
    certificates,
    clients,
    judge: (object, tellAll) =>
      judgePolicy(object, 'kubernetes', { settings, snapshot: tellAll ? plane.snapshot() : undefined }),
    limits: { ...defaultWebhookLimits, handshakeTimeout, requestTimeout, callsPerSecondPerPeer },
    onRefused,
    log,
  });
}

async function writeStatuses(
  { clusters }: ClusterPoliciesOptions,
  { plane }: OpenControlPlane,
  signal: AbortSignal,
): Promise<void> {
  const { writePolicyStatuses } = await import('../adapters/kubernetes/policy-status/index.ts');
  const write = (cluster: Cluster) =>
    writePolicyStatuses(
      {
        cluster,
        readPolicy(object) {
          const { policy, problems } = readPolicy(object, { source: `kubernetes/${cluster.clusterId}` });
          return { policy, problems: problems.map(describePolicyProblem) };
        },
        statuses: () => plane.policies(),
        onProgress: (listener) => plane.onProgress(listener),
      },
      signal,
    );
  await Promise.all([...clusters.values()].map(write));
}
