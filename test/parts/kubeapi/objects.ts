import { randomBytes, sign } from 'node:crypto';
import { z } from 'zod';
import { type KubeClient, type KubeObject, kubeObject } from './client.ts';

export interface TokenOptions {
  /** The server's own audience by default. */
  readonly audiences?: readonly string[];
  /** Seconds; 600 (the API's least) by default. */
  readonly expirationSeconds?: number;
  /** The pod whose deletion ends the token: its name and UID. */
  readonly boundPod?: { readonly name: string; readonly uid: string };
}

export interface Pod {
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
}

const tokenRequest = z.object({ status: z.object({ token: z.string() }) });

const tokenReview = z.object({
  status: z.object({
    authenticated: z.boolean().default(false),
    audiences: z.array(z.string()).optional(),
    error: z.string().optional(),
    user: z
      .object({
        username: z.string().optional(),
        uid: z.string().optional(),
        groups: z.array(z.string()).optional(),
        extra: z.record(z.string(), z.array(z.string())).optional(),
      })
      .optional(),
  }),
});

/** TokenReview's status (authentication.k8s.io/v1). */
export type TokenReviewStatus = z.infer<typeof tokenReview>['status'];

const core = '/api/v1/namespaces';

/** Makes a namespace of a unique name with its `default` service account, which here no controller makes. */
export async function createNamespace(client: KubeClient, prefix = 'test'): Promise<string> {
  const name = `${prefix}-${randomBytes(5).toString('hex')}`;
  await client.request('POST', core, { metadata: { name } });
  await createServiceAccount(client, name, 'default');
  return name;
}

export async function createServiceAccount(
  client: KubeClient,
  namespace: string,
  name: string,
): Promise<KubeObject> {
  return kubeObject.parse(
    await client.request('POST', `${core}/${namespace}/serviceaccounts`, { metadata: { name } }),
  );
}

/** A token from the TokenRequest API, as the kubelet projects it into a pod. */
export async function createToken(
  client: KubeClient,
  namespace: string,
  serviceAccount: string,
  { audiences = [], expirationSeconds = 600, boundPod }: TokenOptions = {},
): Promise<string> {
  const path = `${core}/${namespace}/serviceaccounts/${serviceAccount}/token`;
  const bound = boundPod && { apiVersion: 'v1', kind: 'Pod', name: boundPod.name, uid: boundPod.uid };
  const spec = { audiences, expirationSeconds, boundObjectRef: bound };
  const request = { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenRequest', spec };
  const reply = tokenRequest.parse(await client.request('POST', path, request));
  return reply.status.token;
}

/**
 * The token with other claims, signed anew with the API server's own key (RS256): what no TokenRequest gives, such as a
 * token that has expired.
 */
export function resignToken(token: string, claims: object, signingKeyPem: string): string {
  const [header = '', payload = ''] = token.split('.');
  const before: unknown = JSON.parse(Buffer.from(payload, 'base64url').toString('utf8'));
  const changed = Buffer.from(JSON.stringify(Object.assign(Object(before), claims))).toString('base64url');
  const signature = sign('sha256', Buffer.from(`${header}.${changed}`), signingKeyPem);
  return `${header}.${changed}.${signature.toString('base64url')}`;
}

/** A pod record, on a node when one is named; nothing runs it. */
export async function createPod(
  client: KubeClient,
  namespace: string,
  name: string,
  serviceAccountName = 'default',
  nodeName?: string,
): Promise<Pod> {
  const containers = [{ name: 'main', image: 'example.invalid/none' }];
  const pod = { metadata: { name }, spec: { serviceAccountName, nodeName, containers } };
  const stored = kubeObject.parse(await client.request('POST', `${core}/${namespace}/pods`, pod));
  return { namespace, name, uid: stored.metadata.uid ?? '' };
}

/** Deletes at once: no kubelet is there to confirm a graceful end. */
export async function deletePod(client: KubeClient, namespace: string, name: string): Promise<void> {
  await client.request('DELETE', `${core}/${namespace}/pods/${name}`, { gracePeriodSeconds: 0 });
}

export async function createNode(client: KubeClient, name: string): Promise<KubeObject> {
  return kubeObject.parse(await client.request('POST', '/api/v1/nodes', { metadata: { name } }));
}

export async function reviewToken(
  client: KubeClient,
  token: string,
  audiences: readonly string[] = [],
): Promise<TokenReviewStatus> {
  const review = { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenReview', spec: { token, audiences } };
  const path = '/apis/authentication.k8s.io/v1/tokenreviews';
  return tokenReview.parse(await client.request('POST', path, review)).status;
}
