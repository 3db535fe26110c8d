import type { PodRecord } from '../../domain/ports/index.ts';
import { type ApiClient, text, unexpectedReply } from './api/index.ts';

/** A pod as the API server has it. */
export interface Pod extends PodRecord {
  /** When its grace period ends or ended; set once its deletion was asked for. */
  readonly deletionDeadline?: Date;
}

/** DNS-1123 label: names of namespaces. */
const label = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/;
/** DNS-1123 subdomain: names of pods, nodes and service accounts. */
const subdomain = /^(?=.{1,253}$)[a-z0-9](?:[a-z0-9-]*[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)*$/;

export const isNamespaceName = (name: string): boolean => label.test(name);
export const isObjectName = (name: string): boolean => subdomain.test(name);

/** Reads a Pod object (core/v1); undefined when it lacks what every stored pod has. */
export function readPod(object: unknown): Pod | undefined {
  const namespace = text(object, 'metadata', 'namespace');
  const name = text(object, 'metadata', 'name');
  const uid = text(object, 'metadata', 'uid');
  const serviceAccount = text(object, 'spec', 'serviceAccountName');
  if (namespace === undefined || name === undefined || uid === undefined || serviceAccount === undefined)
    return undefined;
  const deletion = text(object, 'metadata', 'deletionTimestamp');
  return {
    namespace,
    name,
    uid,
    serviceAccount,
    nodeName: text(object, 'spec', 'nodeName') ?? '',
    phase: text(object, 'status', 'phase') ?? 'Unknown',
    ...(deletion === undefined ? {} : { deletionDeadline: new Date(deletion) }),
  };
}

/**
 * Whether the pod may still run: not ended by its phase, and not past the grace period of its deletion (Kubernetes sets
 * deletionTimestamp to the end of that period). A pod that drains within its grace period still counts.
 */
export function mayRun(pod: Pod, now: Date): boolean {
  if (pod.phase === 'Succeeded' || pod.phase === 'Failed') return false;
  return pod.deletionDeadline === undefined || now.getTime() <= pod.deletionDeadline.getTime();
}

/** Reads one pod as it is now, never from a cache. @throws CitadelError Unavailable */
export async function fetchPod(
  api: ApiClient,
  namespace: string,
  name: string,
  signal: AbortSignal,
): Promise<Pod | undefined> {
  if (!isNamespaceName(namespace) || !isObjectName(name)) return undefined;
  const reply = await api.request(
    { method: 'GET', path: `/api/v1/namespaces/${namespace}/pods/${name}` },
    signal,
  );
  if (reply.status === 404) return undefined;
  const pod = reply.status === 200 ? readPod(reply.body) : undefined;
  if (pod === undefined) throw unexpectedReply('get pod', reply);
  return pod;
}
