import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { hasPart, type KubeApi, startKubeApi, temporaryDirectory, waitFor } from '../../parts/index.ts';

const manifest = (namespace: string, value: string) => `
apiVersion: v1
kind: ConfigMap
metadata: { name: first, namespace: ${namespace} }
data: { value: ${value} }
---
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: { name: reader }
rules:
  - { apiGroups: [''], resources: [configmaps], verbs: [get] }
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: { name: reader }
subjects: [{ kind: ServiceAccount, name: reader, namespace: ${namespace} }]
roleRef: { apiGroup: rbac.authorization.k8s.io, kind: Role, name: reader }
`;

describe.skipIf(!hasPart('kubeapi'))('startKubeApi', () => {
  let kube: KubeApi;
  let namespace: string;
  beforeAll(async () => {
    kube = await startKubeApi();
    namespace = await kube.createNamespace();
  });
  afterAll(async () => {
    await kube[Symbol.asyncDispose]();
  });

  it('is one server for the whole run', async () => {
    await using again = await startKubeApi();
    expect(again.server).toBe(kube.server);
    await again[Symbol.asyncDispose]();
    expect(await kube.send('GET', '/readyz', undefined)).toMatchObject({ status: 200, body: 'ok' });
  });

  it('reviews the token of a pod, names the pod, and refuses another audience', async () => {
    await kube.createServiceAccount(namespace, 'web');
    const pod = await kube.createPod(namespace, 'web-1', 'web', 'node-1');
    const token = await kube.createToken(namespace, 'web', { audiences: ['citadel'], boundPod: pod });

    const review = await kube.reviewToken(token, ['citadel']);
    expect(review).toMatchObject({ authenticated: true, audiences: ['citadel'] });
    expect(review.user?.username).toBe(`system:serviceaccount:${namespace}:web`);
    expect(review.user?.groups).toContain('system:serviceaccounts');
    expect(review.user?.extra).toMatchObject({
      'authentication.kubernetes.io/pod-name': ['web-1'],
      'authentication.kubernetes.io/pod-uid': [pod.uid],
      'authentication.kubernetes.io/node-name': ['node-1'],
    });
    expect(await kube.reviewToken(token, ['other'])).toMatchObject({ authenticated: false });
    expect(await kube.reviewToken(token)).toMatchObject({ authenticated: false });
  });

  it('refuses the token of a pod that was deleted', async () => {
    await kube.createServiceAccount(namespace, 'gone');
    const pod = await kube.createPod(namespace, 'gone-1', 'gone', 'node-1');
    const token = await kube.createToken(namespace, 'gone', { audiences: ['citadel'], boundPod: pod });
    await kube.deletePod(namespace, 'gone-1');
    // Its authenticator learns of the deletion through a watch, and caches a successful review for 10 s.
    await waitFor(async () => !(await kube.reviewToken(token, ['citadel'])).authenticated);
  });

  it('applies manifests, again and changed, and enforces the RBAC in them', async () => {
    await kube.createServiceAccount(namespace, 'reader');
    const token = await kube.createToken(namespace, 'reader');
    const path = `/api/v1/namespaces/${namespace}/configmaps/first`;
    await kube.apply(manifest(namespace, 'one'), { namespace });
    const applied = await kube.apply(manifest(namespace, 'two'), { namespace });
    expect(applied.map(({ kind }) => kind)).toEqual(['ConfigMap', 'Role', 'RoleBinding']);
    expect(await kube.request('GET', path, undefined, { token })).toMatchObject({ data: { value: 'two' } });
    await expect(kube.request('DELETE', path, undefined, { token })).rejects.toMatchObject({ status: 403 });
  });

  it('applies a CRD and an object of it in one manifest', async () => {
    const group = `${namespace}.example.org`;
    const properties = '{ spec: { type: object, x-kubernetes-preserve-unknown-fields: true } }';
    const applied = await kube.apply(`
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: { name: things.${group} }
spec:
  group: ${group}
  scope: Namespaced
  names: { plural: things, singular: thing, kind: Thing }
  versions:
    - { name: v1, served: true, storage: true, schema: { openAPIV3Schema: { type: object, properties: ${properties} } } }
---
apiVersion: ${group}/v1
kind: Thing
metadata: { name: one, namespace: ${namespace} }
spec: { size: 1 }
`);
    expect(applied[1]).toMatchObject({ kind: 'Thing', spec: { size: 1 } });
    const definitions = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions';
    await kube.request('DELETE', `${definitions}/things.${group}`);
  });

  it('writes a kubeconfig for another caller', async () => {
    await using directory = await temporaryDirectory();
    await kube.writeKubeconfig(directory.join('kubeconfig'), 'a-token', namespace);
    const config: unknown = parse(await readFile(directory.join('kubeconfig'), 'utf8'));
    expect(config).toMatchObject({
      clusters: [{ cluster: { server: kube.server } }],
      users: [{ user: { token: 'a-token' } }],
      contexts: [{ context: { namespace } }],
    });
  });

  it('starts a server of its own with other arguments', async () => {
    await using own = await startKubeApi({ issuer: 'self' });
    expect(own.server).not.toBe(kube.server);
    const discovery = await own.request('GET', '/.well-known/openid-configuration');
    expect(discovery).toMatchObject({ issuer: own.server });
  });
});
