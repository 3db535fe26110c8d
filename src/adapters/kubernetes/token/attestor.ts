import type { KubernetesPrincipal } from '../../../domain/identity/index.ts';
import type { Attestor } from '../../../domain/ports/index.ts';
import { CitadelError, type Clock, isCitadelError, Limiter, type Log } from '../../../kernel/index.ts';
import type { Cluster } from '../cluster.ts';
import { fetchPod, mayRun, type Pod } from '../pod.ts';
import { Flights } from './flights.ts';
import { type Refusal, reviewToken, type TokenOwner } from './review.ts';
import { readTokenShape, tokenKey } from './token.ts';
import { VerdictCache, type VerdictCacheOptions } from './verdict-cache.ts';

export interface KubernetesTokenAttestorOptions {
  readonly clusters: ReadonlyMap<string, Cluster>;
  /** Whose tokens they are when the caller names no cluster. */
  readonly defaultClusterId: string;
  /** A token must be for one of these. */
  readonly audiences: readonly string[];
  readonly cache?: Partial<VerdictCacheOptions>;
  /** Reviews under way at one API server, and callers waiting for one; 32 and 1024 by default. */
  readonly concurrency?: { readonly running: number; readonly waiting: number };
  readonly clock: Clock;
  readonly log: Log;
}

/** Kubernetes' own cache of a review, 10 s, is as long as ours: a revoked token lives 20 s at most. */
const defaultCache: VerdictCacheOptions = {
  ttl: 10_000,
  entries: 10_000,
  refusedTtl: 2000,
  refusedEntries: 2000,
};
/** Milliseconds past `exp` within which the API server still has the word, for the sake of clocks that differ. */
const expiryLeeway = 60_000;
const busy = 'too many tokens wait to be reviewed; try again';

/**
 * Attests callers by Kubernetes service account tokens: the API server reviews the token (remembered for seconds), and
 * the pod that it is bound to is read anew for every call, so that a token ends with its pod, not with a cache entry.
 */
export function createKubernetesTokenAttestor(options: KubernetesTokenAttestorOptions): Attestor {
  const { clusters, defaultClusterId, audiences, clock, log } = options;
  if (audiences.length === 0) throw new CitadelError('InvalidArgument', 'name at least one token audience');
  const cache = new VerdictCache({ ...defaultCache, ...options.cache });
  const reviews = new Flights<TokenOwner | Refusal>();
  const pods = new Flights<Pod | undefined>();
  const { running, waiting } = options.concurrency ?? { running: 32, waiting: 1024 };
  const limiters = new Map([...clusters.keys()].map((id) => [id, new Limiter(running, waiting, busy)]));

  async function attest(token: string, clusterId: string, signal: AbortSignal): Promise<KubernetesPrincipal> {
    const cluster = clusters.get(clusterId);
    const limiter = limiters.get(clusterId);
    if (cluster === undefined || limiter === undefined) throw refuse('clusterid names no known cluster');
    const shape = readTokenShape(token);
    if (shape === undefined) throw refuse('not a JWT');
    const now = clock.now();
    if (shape.expiresAt !== undefined && shape.expiresAt.getTime() + expiryLeeway < now.getTime())
      throw refuse('expired');
    const key = tokenKey(clusterId, token);
    const verdict =
      cache.get(key, now) ??
      (await reviews.join(key, signal, async (shared) => {
        const fresh = await limiter.run(shared, () => reviewToken(cluster.api, token, audiences, shared));
        cache.set(key, fresh, shape.expiresAt, clock.now());
        return fresh;
      }));
    if ('refused' in verdict) throw refuse(verdict.refused);
    const { namespace, serviceAccount, pod: bound } = verdict;
    const principal = {
      kind: 'kubernetes',
      proof: 'kubernetes-token',
      clusterId,
      namespace,
      serviceAccount,
    } as const;
    if (bound === undefined) return principal;
    const podKey = `${clusterId}/${namespace}/${bound.name}`;
    const pod = await pods.join(podKey, signal, (shared) =>
      limiter.run(shared, () => fetchPod(cluster.api, namespace, bound.name, shared)),
    );
    const reason = podMismatch(verdict, bound, pod, clock.now());
    if (reason !== undefined || pod === undefined) throw refuse(reason ?? 'its pod is gone');
    return { ...principal, pod: { name: pod.name, uid: pod.uid, nodeName: pod.nodeName } };
  }

  return {
    name: 'kubernetes-token',
    accepts: (credentials) => credentials.token !== undefined,
    async attest({ token, clusterId }, signal) {
      if (token === undefined) throw new CitadelError('Unauthenticated', 'no bearer token was sent');
      try {
        return await attest(token.reveal(), clusterId || defaultClusterId, signal);
      } catch (error) {
        const failure = isCitadelError(error) ? error : unjudged(error);
        if (failure.code === 'Unavailable')
          log.warn('a token could not be reviewed', { cluster: clusterId, details: failure.details });
        throw failure;
      }
    },
  };
}

/** Why the pod is not, or no longer, the one that the token was made for; undefined when it is. */
export function podMismatch(
  owner: TokenOwner,
  bound: NonNullable<TokenOwner['pod']>,
  pod: Pod | undefined,
  now: Date,
): string | undefined {
  if (pod === undefined) return 'its pod is gone';
  if (pod.uid !== bound.uid) return 'its pod was replaced by another of that name';
  if (pod.serviceAccount !== owner.serviceAccount) return 'its pod runs as another service account';
  if (!mayRun(pod, now)) return 'its pod has ended';
  // A pod without a node runs nowhere, so nobody in it can be calling; and no two of them share a node.
  if (pod.nodeName === '') return 'its pod is on no node yet';
  if (bound.nodeName !== undefined && bound.nodeName !== pod.nodeName) return 'its pod is on another node';
  return undefined;
}

function refuse(details: string): CitadelError {
  return new CitadelError(
    'Unauthenticated',
    'the service account token was not accepted: it must be current, for our audience, of a cluster known here, and its pod must still run',
    { details },
  );
}

function unjudged(cause: unknown): CitadelError {
  return new CitadelError('Unavailable', 'the token could not be reviewed in time; try again', { cause });
}
