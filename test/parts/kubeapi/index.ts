import { readFile, writeFile } from 'node:fs/promises';
import type { HttpReply } from '../http.ts';
import { applyManifests } from './apply.ts';
import { KubeClient, type KubeObject, type KubeRequestOptions } from './client.ts';
import * as objects from './objects.ts';
import { type KubeApiAddress, type KubeApiServerOptions, startKubeApiServer } from './server.ts';
import { sharedKubeApi } from './shared.ts';

export type { KubeObject } from './client.ts';
export type { Pod, TokenOptions, TokenReviewStatus } from './objects.ts';
export type { KubeApiAddress } from './server.ts';
export { shareKubeApi } from './shared.ts';

export interface KubeApiOptions extends KubeApiServerOptions {
  /** False gives a server of one's own, as options of the server do; true, the default, the one of the test run. */
  readonly shared?: boolean;
}

/** A kube-apiserver and what tests do with it as its administrator. */
export interface KubeApi extends KubeApiAddress, AsyncDisposable {
  /** Gives the parsed JSON; throws HttpStatusError on a status of 400 or above. */
  request(method: string, path: string, body?: unknown, options?: KubeRequestOptions): Promise<unknown>;
  /** One call without a second try; any status is an answer. */
  send(method: string, path: string, body?: unknown, options?: KubeRequestOptions): Promise<HttpReply>;
  /** A new namespace of a unique name, its `default` service account made. One a test keeps tests apart. */
  createNamespace(prefix?: string): Promise<string>;
  createServiceAccount(namespace: string, name: string): Promise<KubeObject>;
  createToken(namespace: string, serviceAccount: string, options?: objects.TokenOptions): Promise<string>;
  /** A token of this server with some claims replaced, signed as it signs. */
  resignToken(token: string, claims: object): Promise<string>;
  createPod(
    namespace: string,
    name: string,
    serviceAccount?: string,
    nodeName?: string,
  ): Promise<objects.Pod>;
  deletePod(namespace: string, name: string): Promise<void>;
  createNode(name: string): Promise<KubeObject>;
  reviewToken(token: string, audiences?: readonly string[]): Promise<objects.TokenReviewStatus>;
  /** Server-side apply of a multi-document manifest; `namespace` is for documents that name none. */
  apply(yaml: string, options?: { namespace?: string; fieldManager?: string }): Promise<KubeObject[]>;
  /** Writes a kubeconfig (mode 0600) for another caller, e.g. a service account with just its own rights. */
  writeKubeconfig(path: string, token: string, namespace?: string): Promise<void>;
}

/**
 * A real kube-apiserver. Within a test run it is one server for all files, started at the first call, so every test makes
 * a namespace of its own and cleans up what is cluster-wide; disposing lets go of it without stopping it. Outside a run,
 * with `shared: false`, or with options of the server, it is a new one that ends on dispose.
 */
export async function startKubeApi(options: KubeApiOptions = {}): Promise<KubeApi> {
  const { shared = true, ...serverOptions } = options;
  await using cleanup = new AsyncDisposableStack();
  let address = shared && Object.keys(serverOptions).length === 0 ? await sharedKubeApi() : undefined;
  address ??= cleanup.use(await startKubeApiServer(serverOptions)).address;
  const client = cleanup.use(new KubeClient(address));
  const owned = cleanup.move();
  return {
    ...address,
    request: (method, path, body, requestOptions) => client.request(method, path, body, requestOptions),
    send: (method, path, body, requestOptions) => client.send(method, path, body, requestOptions),
    createNamespace: (prefix) => objects.createNamespace(client, prefix),
    createServiceAccount: (namespace, name) => objects.createServiceAccount(client, namespace, name),
    createToken: (namespace, account, tokenOptions) =>
      objects.createToken(client, namespace, account, tokenOptions),
    resignToken: async (token, claims) =>
      objects.resignToken(token, claims, await readFile(address.serviceAccountKeyPath, 'utf8')),
    createPod: (namespace, name, account, node) => objects.createPod(client, namespace, name, account, node),
    deletePod: (namespace, name) => objects.deletePod(client, namespace, name),
    createNode: (name) => objects.createNode(client, name),
    reviewToken: (token, audiences) => objects.reviewToken(client, token, audiences),
    apply: (yaml, applyOptions) => applyManifests(client, yaml, applyOptions),
    writeKubeconfig: (path, token, namespace) => writeKubeconfig(path, address, token, namespace),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

async function writeKubeconfig(
  path: string,
  { server, caPem }: KubeApiAddress,
  token: string,
  namespace = 'default',
) {
  const cluster = { server, 'certificate-authority-data': Buffer.from(caPem).toString('base64') };
  const config = {
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': 'kubeapi',
    clusters: [{ name: 'kubeapi', cluster }],
    users: [{ name: 'caller', user: { token } }],
    contexts: [{ name: 'kubeapi', context: { cluster: 'kubeapi', user: 'caller', namespace } }],
  };
  // JSON is YAML, and needs no quoting of its own.
  await writeFile(path, `${JSON.stringify(config, undefined, 2)}\n`, { mode: 0o600 });
}
