import type { TrustBundleSnapshot } from '../../../domain/trust/index.ts';
import { CitadelError, type Log } from '../../../kernel/index.ts';
import { follow, text, unexpectedReply } from '../api/index.ts';
import type { Cluster } from '../cluster.ts';
import { WorkQueue } from '../work-queue.ts';
import type { FollowingPublisher } from './following-publisher.ts';

export interface ClusterTrustBundleOptions {
  /** `domain/path`, for example `citadel.dev/mesh`. Our service account needs the `attest` verb on this signer. */
  readonly signerName: string;
  /** What follows the signer's prefix in the object's name; `bundle` by default. */
  readonly suffix?: string;
  /** Of certificates.k8s.io; `v1` by default, `v1beta1` for Kubernetes 1.33 to 1.36. */
  readonly apiVersion?: 'v1' | 'v1beta1';
  readonly log: Log;
}

const signer = /^[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?\/[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?$/;
const suffixForm = /^[a-z0-9](?:[a-z0-9.-]{0,61}[a-z0-9])?$/;

/**
 * The name that the API demands of a bundle with a signer: the signer's name with `:` for `/`, `:`, and a free part.
 * @throws CitadelError InvalidArgument when the signer's name is not of the form domain/path
 */
export function clusterTrustBundleName(signerName: string, suffix: string): string {
  if (!signer.test(signerName) || signerName.length > 571 || !suffixForm.test(suffix)) {
    throw new CitadelError(
      'InvalidArgument',
      `not a signer name: ${JSON.stringify(signerName)}; write it as domain/name, for example citadel.dev/mesh`,
    );
  }
  return `${signerName.replace('/', ':')}:${suffix}`;
}

/** Publishes the trust bundle as a ClusterTrustBundle, which pods mount as a projected volume. */
export function createClusterTrustBundlePublisher(
  cluster: Cluster,
  options: ClusterTrustBundleOptions,
): FollowingPublisher {
  const { api, clock, entropy } = cluster;
  const { signerName, suffix = 'bundle', apiVersion = 'v1' } = options;
  const log = options.log.with({ cluster: cluster.clusterId, publisher: 'clustertrustbundle' });
  const name = clusterTrustBundleName(signerName, suffix);
  const group = `certificates.k8s.io/${apiVersion}`;
  const collection = `/apis/${group}/clustertrustbundles`;
  const path = `${collection}/${encodeURIComponent(name)}`;
  const query = { fieldManager: 'citadel' };

  async function publish({ pem }: TrustBundleSnapshot, signal: AbortSignal): Promise<void> {
    const spec = { signerName, trustBundle: pem };
    const found = await api.request({ method: 'GET', path }, signal);
    if (found.status === 200 && text(found.body, 'spec', 'trustBundle') === pem) return;
    const patch = () =>
      api.request(
        { method: 'PATCH', path, query, contentType: 'application/merge-patch+json', body: { spec } },
        signal,
      );
    let reply = found;
    if (found.status === 200) {
      reply = await patch();
    } else if (found.status === 404) {
      const body = { apiVersion: group, kind: 'ClusterTrustBundle', metadata: { name }, spec };
      reply = await api.request({ method: 'POST', path: collection, query, body }, signal);
      if (reply.status === 409) reply = await patch();
    }
    if (reply.status === 404) {
      throw new CitadelError(
        'FailedPrecondition',
        `the cluster ${cluster.clusterId} does not serve ${group} ClusterTrustBundle; turn its publishing off`,
      );
    }
    if (reply.status !== 200 && reply.status !== 201)
      throw unexpectedReply('write clustertrustbundle', reply);
  }

  async function watch(
    getBundle: () => TrustBundleSnapshot | Promise<TrustBundleSnapshot>,
    signal: AbortSignal,
  ): Promise<void> {
    const work = async () => publish(await getBundle(), signal);
    const queue = new WorkQueue({
      what: 'publishing the trust bundle',
      work,
      concurrency: 1,
      clock,
      entropy,
      log,
      signal,
    });
    const check = () => queue.add(name);
    const named = { path: collection, query: { fieldSelector: `metadata.name=${name}` } };
    const read = (object: unknown) => object;
    const handlers = { read, onList: check, onChange: check, onDelete: check };
    await follow({ ...named, ...handlers }, { api, clock, entropy, log }, signal);
  }

  return { name: `clustertrustbundle:${cluster.clusterId}/${name}`, publish, watch };
}
