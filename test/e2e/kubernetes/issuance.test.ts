import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { type ServiceError, status } from '@grpc/grpc-js';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { parseCertificate } from '../../../src/pki/index.ts';
import {
  hasPart,
  type KubeApi,
  startKubeApi,
  type TemporaryDirectory,
  temporaryDirectory,
  waitFor,
} from '../../parts/index.ts';
import { newRequest, startTestServer, type TestServer } from '../../support/server.ts';
import { type Fixture, readManifest, startFixture } from './fixture.ts';

const day = 86_400n;
const configMap = z.object({ data: z.record(z.string(), z.string()) });
const trustBundles = z.object({ items: z.array(z.object({ spec: z.object({ trustBundle: z.string() }) })) });

interface Pod {
  readonly name: string;
  readonly uid: string;
  readonly token: string;
}

describe.skipIf(!hasPart('kubeapi'))('a whole server in Kubernetes', () => {
  let fixture: Fixture;
  let other: KubeApi;
  let directory: TemporaryDirectory;
  let server: TestServer;
  let namespace: string;
  const [node, elsewhere] = [`node-${randomUUID()}`, `node-${randomUUID()}`];

  beforeAll(async () => {
    [fixture, other, directory] = await Promise.all([
      startFixture(),
      startKubeApi({ shared: false, issuer: 'https://other.example' }),
      temporaryDirectory('issuance'),
    ]);
    namespace = await fixture.kube.createNamespace('shop');
    for (const account of ['web', 'ztunnel']) await fixture.kube.createServiceAccount(namespace, account);
    for (const manifest of ['namespace.yaml', 'rbac.yaml']) await other.apply(await readManifest(manifest));
    const otherFile = join(directory.path, 'other-kubeconfig');
    await other.writeKubeconfig(otherFile, await other.createToken('citadel-system', 'citadel'));
    server = await startTestServer(
      {
        attestation: {
          kubernetes: {
            clusters: [
              { id: 'Kubernetes', kubeconfig: await fixture.kubeconfigFor(fixture.serverToken) },
              { id: 'other', kubeconfig: otherFile },
            ],
            nodeCallers: [`${namespace}/ztunnel`],
          },
        },
        publish: {
          configMap: { name: fixture.names.configMap },
          clusterTrustBundle: { signerName: fixture.names.signer },
        },
      },
      { directory: directory.path },
    );
  });
  afterAll(async () => {
    await server?.stop();
    await Promise.all([fixture, other, directory].map((each) => each?.[Symbol.asyncDispose]()));
  });

  async function pod(account = 'web', on = node, audiences = ['istio-ca']): Promise<Pod> {
    const name = `${account}-${randomUUID()}`;
    const boundPod = await fixture.kube.createPod(namespace, name, account, on);
    const token = await fixture.kube.createToken(namespace, account, { audiences, boundPod });
    return { name, uid: boundPod.uid, token };
  }

  /** The identity that the reply carries; the request says things of its own, which must not matter. */
  async function issue(token: string, more: { metadata?: object; cluster?: string } = {}): Promise<string> {
    const { csr } = await newRequest('ecdsa-p256', {
      uris: ['spiffe://example.org/ns/kube-system/sa/admin'],
    });
    const { certChain } = await server.create(
      { csr, validityDuration: day, metadata: { CertSigner: 'ignored', ...more.metadata } },
      { token, metadata: { clusterid: more.cluster ?? 'Kubernetes' } },
    );
    expect(certChain.at(-1)).toBe(server.app.authority.bundle().pem);
    const [uri, ...rest] = parseCertificate(certChain[0] ?? '').uris;
    expect(rest).toEqual([]);
    return uri ?? '';
  }

  const refused = async (issuing: Promise<string>): Promise<ServiceError> =>
    issuing.then(
      (uri) => expect.fail(`was issued ${uri}`),
      (error: ServiceError) => error,
    );

  it('issues by a bound token, and says by which pod on the record', async () => {
    const { token, uid } = await pod();
    expect(await issue(token)).toBe(`spiffe://example.org/ns/${namespace}/sa/web`);
    const { items } = await server.app.store.audit.find({ action: 'certificate.issue', limit: 1 });
    expect(items[0]).toMatchObject({
      outcome: 'allowed',
      proof: 'kubernetes-token',
      subject: `kubernetes:Kubernetes/${namespace}/web/${uid}`,
    });
    expect(JSON.stringify(items[0])).not.toContain(token.split('.')[2]);
  });

  it('refuses a token for another audience, a foreign one, and that of a pod that is gone', async () => {
    const mistaken = await pod('web', node, ['elsewhere']);
    expect((await refused(issue(mistaken.token))).code).toBe(status.UNAUTHENTICATED);

    const foreign = await other.createToken('citadel-system', 'citadel', { audiences: ['istio-ca'] });
    expect((await refused(issue(foreign))).code).toBe(status.UNAUTHENTICATED);

    const { token, name } = await pod();
    await issue(token);
    await fixture.kube.deletePod(namespace, name);
    expect((await refused(issue(token))).code).toBe(status.UNAUTHENTICATED);
    const { items } = await server.app.store.audit.find({ action: 'certificate.issue', limit: 1 });
    expect(items[0]).toMatchObject({ outcome: 'refused' });
  });

  it('serves several clusters, each by its own tokens, and none that it does not know', async () => {
    const space = await other.createNamespace('shop');
    await other.createServiceAccount(space, 'web');
    await other.createNode('node-1').catch(() => undefined);
    const boundPod = await other.createPod(space, 'web-1', 'web', 'node-1');
    const token = await other.createToken(space, 'web', { audiences: ['istio-ca'], boundPod });
    expect(await issue(token, { cluster: 'other' })).toBe(`spiffe://example.org/ns/${space}/sa/web`);
    expect((await refused(issue(token, { cluster: 'Kubernetes' }))).code).toBe(status.UNAUTHENTICATED);
    expect((await refused(issue(token, { cluster: 'nowhere' }))).code).toBe(status.UNAUTHENTICATED);
  });

  it('gives a node’s own caller the identities of pods on its node, and of no others', async () => {
    const ztunnel = await pod('ztunnel');
    const workload = `spiffe://example.org/ns/${namespace}/sa/web`;
    const metadata = { ImpersonatedIdentity: workload };
    await pod();
    expect(await issue(ztunnel.token, { metadata })).toBe(workload);
    const away = await pod('ztunnel', elsewhere);
    expect((await refused(issue(away.token, { metadata }))).code).toBe(status.PERMISSION_DENIED);
    const { token } = await pod();
    const admin = { ImpersonatedIdentity: `spiffe://example.org/ns/${namespace}/sa/ztunnel` };
    expect((await refused(issue(token, { metadata: admin }))).code).toBe(status.PERMISSION_DENIED);
    for (const ImpersonatedIdentity of ['spiffe://other.org/ns/a/sa/b', 'spiffe://example.org/x', 'web'])
      expect((await refused(issue(ztunnel.token, { metadata: { ImpersonatedIdentity } }))).code).toBeOneOf([
        status.PERMISSION_DENIED,
        status.INVALID_ARGUMENT,
      ]);
  });

  it('publishes its root to every namespace and as a ClusterTrustBundle', async () => {
    const root = server.app.authority.bundle().pem;
    const { configMap: name, signer } = fixture.names;
    const path = `/api/v1/namespaces/${namespace}/configmaps/${name}`;
    const map = await waitFor(() => fixture.kube.request('GET', path).catch(() => undefined));
    expect(configMap.parse(map).data['root-cert.pem']).toBe(root);
    const bundles = await waitFor(async () => {
      const list = await fixture.kube.request(
        'GET',
        `/apis/certificates.k8s.io/v1/clustertrustbundles?fieldSelector=spec.signerName%3D${encodeURIComponent(signer)}`,
      );
      const { items } = trustBundles.parse(list);
      return items.length > 0 ? items : undefined;
    });
    expect(bundles.map(({ spec }) => spec.trustBundle)).toEqual([root]);
  });
});
