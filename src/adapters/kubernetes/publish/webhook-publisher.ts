import type { TrustBundleSnapshot } from '../../../domain/trust/index.ts';
import type { Log } from '../../../kernel/index.ts';
import { follow, items, listAll, text, unexpectedReply } from '../api/index.ts';
import type { Cluster } from '../cluster.ts';
import { WorkQueue } from '../work-queue.ts';
import type { FollowingPublisher } from './following-publisher.ts';

export interface WebhookPublisherOptions {
  /** Of the ValidatingWebhookConfiguration; its webhooks named below citadel.dev are ours. */
  readonly name: string;
  readonly log: Log;
}

const collection = '/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations';
const ours = /\.citadel\.dev$/;

/**
 * Keeps the bundle by which API servers trust our webhook (`caBundle`) current. Nothing else of the configuration is
 * touched, and it is never made: whether policies are judged before they are stored is the administrator's to say.
 */
export function createWebhookPublisher(
  cluster: Cluster,
  options: WebhookPublisherOptions,
): FollowingPublisher {
  const { api, clock, entropy } = cluster;
  const { name } = options;
  const log = options.log.with({ cluster: cluster.clusterId, publisher: 'webhook' });
  // By name, so that a role which allows this one name allows the list and the watch.
  const query = { fieldSelector: `metadata.name=${name}` };

  async function publish({ pem }: TrustBundleSnapshot, signal: AbortSignal): Promise<void> {
    const { items: found } = await listAll(api, collection, query, signal);
    const caBundle = Buffer.from(pem).toString('base64');
    const webhooks = found
      .flatMap((configuration) => items(configuration, 'webhooks'))
      .filter((webhook) => text(webhook, 'clientConfig', 'caBundle') !== caBundle)
      .flatMap((webhook) => text(webhook, 'name') ?? [])
      .filter((each) => ours.test(each))
      .map((each) => ({ name: each, clientConfig: { caBundle } }));
    if (webhooks.length === 0) return;
    // Merged by name. One that went meanwhile would be an incomplete new one, which the API server refuses.
    const contentType = 'application/strategic-merge-patch+json';
    const fieldManager = { fieldManager: 'citadel' };
    const reply = await api.request(
      {
        method: 'PATCH',
        path: `${collection}/${name}`,
        query: fieldManager,
        contentType,
        body: { webhooks },
      },
      signal,
    );
    if (reply.status === 404) return;
    if (reply.status !== 200) throw unexpectedReply('write validatingwebhookconfiguration', reply);
    log.info('API servers trust the webhook by the current bundle', { configuration: name });
  }

  async function watch(
    getBundle: () => TrustBundleSnapshot | Promise<TrustBundleSnapshot>,
    signal: AbortSignal,
  ): Promise<void> {
    const work = async () => publish(await getBundle(), signal);
    const what = 'publishing the trust bundle';
    const queue = new WorkQueue({ what, work, concurrency: 1, clock, entropy, log, signal });
    const check = () => queue.add(name);
    const read = (object: unknown) => object;
    const handlers = { read, onList: check, onChange: check, onDelete: () => {} };
    await follow({ path: collection, query, ...handlers }, { api, clock, entropy, log }, signal);
  }

  return { name: `webhook:${cluster.clusterId}/${name}`, publish, watch };
}
