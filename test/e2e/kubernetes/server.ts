import { randomUUID } from 'node:crypto';
import type { Pod } from '../../parts/index.ts';
import { newRequest, startTestServer, type TestServer } from '../../support/server.ts';
import { type Fixture, startFixture } from './fixture.ts';

/** A whole server that asks the real API server, in a namespace with the service accounts `web` and `ztunnel`. */
export interface KubernetesServer extends AsyncDisposable {
  readonly fixture: Fixture;
  readonly server: TestServer;
  readonly namespace: string;
  /** A new pod on that node, and its token for istio-ca. */
  pod(account: string, node: string): Promise<Pod & { readonly token: string }>;
  /** Asks for a certificate. @returns the chain */
  issue(token: string, impersonated?: string): Promise<readonly string[]>;
}

/** Its ztunnel may ask for the identities of the pods on its node. */
export async function startKubernetesServer(): Promise<KubernetesServer> {
  await using cleanup = new AsyncDisposableStack();
  const fixture = cleanup.use(await startFixture());
  const namespace = await fixture.kube.createNamespace('shop');
  for (const account of ['web', 'ztunnel']) await fixture.kube.createServiceAccount(namespace, account);
  const kubeconfig = await fixture.kubeconfigFor(fixture.serverToken);
  const kubernetes = {
    clusters: [{ id: 'Kubernetes', kubeconfig }],
    nodeCallers: [`${namespace}/ztunnel`],
  };
  const server = cleanup.use(await startTestServer({ attestation: { kubernetes } }));
  const owned = cleanup.move();
  return {
    fixture,
    server,
    namespace,
    async pod(account, node) {
      const pod = await fixture.kube.createPod(namespace, `${account}-${randomUUID()}`, account, node);
      const audiences = ['istio-ca'];
      return {
        ...pod,
        token: await fixture.kube.createToken(namespace, account, { audiences, boundPod: pod }),
      };
    },
    async issue(token, impersonated) {
      const metadata = impersonated === undefined ? undefined : { ImpersonatedIdentity: impersonated };
      const { csr } = await newRequest();
      return (await server.create({ csr, metadata }, { token })).certChain;
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}
