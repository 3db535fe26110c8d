import type { TrustBundleSnapshot } from '../../../domain/trust/index.ts';
import { CitadelError, describeError, isCitadelError, Limiter, type Log } from '../../../kernel/index.ts';
import { follow, listAll, text } from '../api/index.ts';
import type { Cluster } from '../cluster.ts';
import { WorkQueue } from '../work-queue.ts';
import { isActiveNamespace, readRoot, writeRoot } from './config-map.ts';
import type { FollowingPublisher } from './following-publisher.ts';

export interface ConfigMapOptions {
  /** `istio-ca-root-cert` by default, which Istio's sidecars and ztunnel mount. */
  readonly name?: string;
  /** Left alone; by default those that istiod leaves alone too. */
  readonly excludedNamespaces?: readonly string[];
  readonly log: Log;
}

const defaultExcluded = ['kube-system', 'kube-public', 'kube-node-lease'];
const namespacesPath = '/api/v1/namespaces';
const configMapsPath = '/api/v1/configmaps';
const concurrency = 8;

/** Publishes the trust bundle as a ConfigMap, key `root-cert.pem`, in every namespace. */
export function createConfigMapPublisher(cluster: Cluster, options: ConfigMapOptions): FollowingPublisher {
  const { api, clock, entropy } = cluster;
  const { name = 'istio-ca-root-cert', excludedNamespaces = defaultExcluded } = options;
  const log = options.log.with({ cluster: cluster.clusterId, publisher: 'configmap' });
  const excluded = new Set(excludedNamespaces);
  // By name, so that a role which allows this one name allows the list and the watch.
  const query = { fieldSelector: `metadata.name=${name}` };
  const wanted = (object: unknown) => {
    const namespace = text(object, 'metadata', 'name');
    return namespace !== undefined && !excluded.has(namespace) && isActiveNamespace(object)
      ? namespace
      : undefined;
  };

  async function publish(bundle: TrustBundleSnapshot, signal: AbortSignal): Promise<void> {
    const [namespaces, configMaps] = await Promise.all([
      listAll(api, namespacesPath, {}, signal),
      listAll(api, configMapsPath, query, signal),
    ]);
    const roots = rootsByNamespace(configMaps.items);
    const stale = namespaces.items
      .map(wanted)
      .filter((each) => each !== undefined)
      .filter((each) => roots.get(each)?.root !== bundle.pem);
    const limiter = new Limiter(concurrency, Number.POSITIVE_INFINITY, 'the round of publishing has ended');
    const results = await Promise.allSettled(
      stale.map((namespace) =>
        limiter.run(signal, () =>
          writeRoot(api, { namespace, name }, bundle.pem, roots.has(namespace), signal),
        ),
      ),
    );
    const failures = results.flatMap((result) =>
      result.status === 'rejected' ? [result.reason as unknown] : [],
    );
    const [first] = failures;
    if (failures.length > 0) {
      throw new CitadelError(
        'Unavailable',
        `the trust bundle could not be written to ${failures.length} of ${stale.length} namespaces; the rest have it`,
        {
          cause: first,
          details: (isCitadelError(first) ? first.details : undefined) ?? describeError(first),
        },
      );
    }
  }

  async function watch(
    getBundle: () => TrustBundleSnapshot | Promise<TrustBundleSnapshot>,
    signal: AbortSignal,
  ): Promise<void> {
    const active = new Set<string>();
    let roots: Map<string, Root> | undefined;
    const queue = new WorkQueue({
      what: 'publishing the trust bundle',
      concurrency,
      clock,
      entropy,
      log,
      signal,
      async work(namespace) {
        const { pem } = await getBundle();
        const known = roots?.get(namespace);
        if (!active.has(namespace) || known?.root === pem) return;
        await writeRoot(api, { namespace, name }, pem, known !== undefined, signal);
        log.info('published the trust bundle', { namespace });
      },
    });
    // Before the ConfigMaps are known all namespaces would seem to lack one.
    const check = (namespace: string) => {
      if (roots !== undefined && active.has(namespace)) queue.add(namespace);
    };
    const leave = (object: unknown) => {
      const namespace = text(object, 'metadata', 'name') ?? '';
      active.delete(namespace);
      queue.forget(namespace);
    };
    const enter = (object: unknown) => {
      const namespace = wanted(object);
      if (namespace === undefined) return leave(object);
      active.add(namespace);
      check(namespace);
    };
    const context = { api, clock, entropy, log };
    const read = (object: unknown) => object;
    const namespaces = {
      path: namespacesPath,
      read,
      onList(objects: readonly unknown[]) {
        active.clear();
        for (const object of objects) enter(object);
      },
      onChange: enter,
      onDelete: leave,
    };
    const configMaps = {
      path: configMapsPath,
      query,
      read,
      onList(objects: readonly unknown[]) {
        roots = rootsByNamespace(objects);
        for (const namespace of active) check(namespace);
      },
      onChange(object: unknown) {
        const namespace = text(object, 'metadata', 'namespace') ?? '';
        roots?.set(namespace, { root: readRoot(object) });
        check(namespace);
      },
      onDelete(object: unknown) {
        const namespace = text(object, 'metadata', 'namespace') ?? '';
        roots?.delete(namespace);
        check(namespace);
      },
    };
    await Promise.all([follow(namespaces, context, signal), follow(configMaps, context, signal)]);
  }

  return { name: `configmap:${cluster.clusterId}/${name}`, publish, watch };
}

interface Root {
  readonly root: string | undefined;
}

function rootsByNamespace(configMaps: readonly unknown[]): Map<string, Root> {
  return new Map(
    configMaps.map((object) => [text(object, 'metadata', 'namespace') ?? '', { root: readRoot(object) }]),
  );
}
