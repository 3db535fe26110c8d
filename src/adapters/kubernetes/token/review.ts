import type { V1TokenReview } from '@kubernetes/client-node';
import { type ApiClient, field, text, texts, unexpectedReply } from '../api/index.ts';
import { isNamespaceName, isObjectName } from '../pod.ts';

/** Whom the API server says a token belongs to. */
export interface TokenOwner {
  readonly namespace: string;
  readonly serviceAccount: string;
  /** The pod that the token is bound to. */
  readonly pod?: { readonly name: string; readonly uid: string; readonly nodeName?: string };
}

/** Why a token was not accepted, for the log. */
export interface Refusal {
  readonly refused: string;
}

const path = '/apis/authentication.k8s.io/v1/tokenreviews';
const prefix = 'authentication.kubernetes.io';

/** Has the API server review a token. @throws CitadelError Unavailable when there is no answer to judge by */
export async function reviewToken(
  api: ApiClient,
  token: string,
  audiences: readonly string[],
  signal: AbortSignal,
): Promise<TokenOwner | Refusal> {
  const body: V1TokenReview = {
    apiVersion: 'authentication.k8s.io/v1',
    kind: 'TokenReview',
    spec: { token, audiences: [...audiences] },
  };
  const reply = await api.request({ method: 'POST', path, body }, signal);
  const status = field(reply.body, 'status');
  if ((reply.status !== 200 && reply.status !== 201) || status === undefined)
    throw unexpectedReply('create tokenreview', reply);
  return readReviewStatus(status, audiences);
}

/**
 * Judges a TokenReview's status (authentication.k8s.io/v1). The audiences are compared here as well: an API server that
 * knows nothing of audiences answers without them, and its word is then about its own audience, not ours.
 */
export function readReviewStatus(status: unknown, audiences: readonly string[]): TokenOwner | Refusal {
  if (field(status, 'authenticated') !== true)
    return { refused: `not authenticated: ${(text(status, 'error') ?? '').slice(0, 300)}` };
  const granted = texts(status, 'audiences') ?? [];
  if (!granted.some((audience) => audiences.includes(audience))) return { refused: 'not for our audience' };
  const [system, kind, namespace, serviceAccount, ...rest] = (text(status, 'user', 'username') ?? '').split(
    ':',
  );
  if (
    system !== 'system' ||
    kind !== 'serviceaccount' ||
    namespace === undefined ||
    serviceAccount === undefined ||
    rest.length > 0 ||
    !isNamespaceName(namespace) ||
    !isObjectName(serviceAccount)
  )
    return { refused: 'not a service account' };
  const groups = texts(status, 'user', 'groups') ?? [];
  if (!groups.includes('system:serviceaccounts') || !groups.includes(`system:serviceaccounts:${namespace}`))
    return { refused: 'not in the group of service accounts' };
  const pod = readPodBinding(status);
  if (pod === 'malformed') return { refused: 'names its pod in an unknown way' };
  return { namespace, serviceAccount, ...(pod === undefined ? {} : { pod }) };
}

function readPodBinding(status: unknown): TokenOwner['pod'] | 'malformed' {
  const extra = (name: string) => {
    const found = field(status, 'user', 'extra', `${prefix}/${name}`);
    if (found === undefined) return undefined;
    const [value, ...others] = texts(status, 'user', 'extra', `${prefix}/${name}`) ?? [];
    return value === undefined || value === '' || others.length > 0 ? null : value;
  };
  const name = extra('pod-name');
  const uid = extra('pod-uid');
  const nodeName = extra('node-name');
  if (name === undefined && uid === undefined) return undefined;
  if (!name || !uid || nodeName === null) return 'malformed';
  return { name, uid, ...(nodeName === undefined ? {} : { nodeName }) };
}
