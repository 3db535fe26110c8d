import { KeptContent } from '../../../domain/mesh/index.ts';
import type { Policy } from '../../../domain/policy/index.ts';
import type { Archive, KeptMeshSource, MeshContent, MeshSourceState } from '../../../domain/ports/index.ts';
import type { Cluster } from '../cluster.ts';
import { createAssembler } from './assemble.ts';
import { readEndpointSlice, slimEndpointSlice } from './endpoint-slice.ts';
import { Informer, type InformerOptions, type Reading } from './informer.ts';
import { readNamespace, slimNamespace } from './namespace.ts';
import { readMeshPod, slimPod } from './pod.ts';
import { policyCollections, slimPolicy } from './policies.ts';
import { readService, slimService } from './service.ts';

export interface KubernetesMeshSourceOptions {
  readonly cluster: Cluster;
  /** What was read is kept there over a restart. */
  readonly archive: Archive;
  /**
   * Makes a policy of an object of security.istio.io, given with its apiVersion, kind, metadata and spec. It must not
   * throw. Where it finds no policy, the object's last good form stays; its problems are told in any case.
   */
  readonly readPolicy: (object: unknown) => {
    readonly policy?: Policy | undefined;
    readonly problems: readonly string[];
  };
  /** Of the cluster's DNS; `cluster.local` by default. */
  readonly clusterDomain?: string;
}

/**
 * Milliseconds that changes are gathered for before they are kept. Of policies a restart must forget nothing; pods come
 * and go all the time, and are kept to begin with while the API server is away.
 */
const pause = { policies: 1_000, others: 30_000 };

/** Pods, services and policies of one cluster, followed by list and watch. */
export function createKubernetesMeshSource(options: KubernetesMeshSourceOptions): KeptMeshSource {
  const { cluster, archive, readPolicy, clusterDomain = 'cluster.local' } = options;
  const { api, clock, entropy, clusterId } = cluster;
  const name = `kubernetes/${clusterId}`;
  const log = cluster.log.with({ source: name });
  const closing = new AbortController();
  let notify = () => {};
  let stale = true;
  let content: MeshContent | undefined;
  let running: Promise<unknown> = Promise.resolve();

  const ids: string[] = [];
  const informer = <T>(
    given: Pick<InformerOptions<T>, 'what' | 'paths' | 'slim' | 'read' | 'query' | 'optional'>,
    gathered = pause.others,
  ): Informer<T> => {
    const changed = () => {
      stale = true;
      notify();
    };
    const id = `${name} ${given.what}`;
    ids.push(id);
    const kept = new KeptContent({ archive, id, pause: gathered, clock, log });
    return new Informer({ ...given, kept, changed, clock, log });
  };
  const services = informer({
    what: 'services',
    paths: ['/api/v1/services'],
    slim: slimService,
    read: readService,
  });
  const slices = informer({
    what: 'endpointslices',
    paths: ['/apis/discovery.k8s.io/v1/endpointslices'],
    query: { labelSelector: 'kubernetes.io/service-name' },
    slim: slimEndpointSlice,
    read: readEndpointSlice,
  });
  const pods = informer({
    what: 'pods',
    paths: ['/api/v1/pods'],
    // One that ends leaves the collection: the watch tells of it as of a deletion.
    query: { fieldSelector: 'status.phase!=Succeeded,status.phase!=Failed' },
    slim: slimPod,
    read: readMeshPod,
  });
  const namespaces = informer({
    what: 'namespaces',
    paths: ['/api/v1/namespaces'],
    slim: slimNamespace,
    read: readNamespace,
  });
  const policies = policyCollections.map((collection) =>
    informer(
      {
        ...collection,
        optional: true,
        slim: (object) => slimPolicy(object, collection),
        read: (slim): Reading<Policy> => {
          const { policy, problems } = readPolicy(slim);
          return { value: policy, problems };
        },
      },
      pause.policies,
    ),
  );
  const informers = [services, slices, pods, namespaces, ...policies];
  const assemble = createAssembler(clusterId, clusterDomain);

  /** Not before all is known: what lacks the policies, or half of the endpoints, is worse than nothing. */
  function assembled(): MeshContent | undefined {
    const all = {
      services: services.values,
      slices: slices.values,
      pods: pods.values,
      namespaces: namespaces.values,
    };
    const ofPolicies = policies.map(({ values }) => values);
    if (!all.services || !all.slices || !all.pods || !all.namespaces) return undefined;
    if (ofPolicies.some((values) => values === undefined)) return undefined;
    const { services: s, slices: e, pods: p, namespaces: n } = all;
    return assemble({
      services: s,
      slices: e,
      pods: p,
      namespaces: n,
      policies: ofPolicies.flatMap((values) => [...(values?.values() ?? [])]),
    });
  }

  return {
    name,
    kept: ids,
    async start(changed) {
      notify = changed;
      const context = { api, clock, entropy, log };
      running = Promise.all(informers.map((each) => each.run(context, closing.signal)));
      await Promise.all(informers.map(({ answered }) => answered));
    },
    content() {
      if (stale) {
        stale = false;
        content = assembled() ?? content;
      }
      return content;
    },
    state: (): MeshSourceState => {
      const heard = informers.map(({ heardAt }) => heardAt?.getTime());
      const oldest = heard.some((at) => at === undefined)
        ? undefined
        : Math.min(...heard.map((at) => at ?? 0));
      const troubles = informers.flatMap(({ problem }) => problem ?? []);
      return {
        name,
        currentAt: oldest === undefined ? undefined : new Date(oldest),
        problem: troubles.length === 0 ? undefined : troubles.join('; '),
        rejected: informers.flatMap(({ rejected }) => rejected),
        shadowed: [],
        warnings: informers.flatMap(({ keptProblem }) => keptProblem ?? []),
      };
    },
    async close() {
      closing.abort();
      notify = () => {};
      await running;
    },
  };
}
