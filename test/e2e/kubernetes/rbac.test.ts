import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { z } from 'zod';
import { listAll } from '../../../src/adapters/kubernetes/api/index.ts';
import {
  type Cluster,
  createClusterTrustBundlePublisher,
  createConfigMapPublisher,
  createKubernetesTokenAttestor,
  createWebhookPublisher,
  createWorkloadDirectory,
} from '../../../src/adapters/kubernetes/index.ts';
import { policyCollections } from '../../../src/adapters/kubernetes/mesh/index.ts';
import { readRecord } from '../../../src/adapters/kubernetes/policy-status/record.ts';
import { writeConditions } from '../../../src/adapters/kubernetes/policy-status/write.ts';
import { serverConfigFromObject } from '../../../src/app/config/index.ts';
import { Secret, silentLog, systemClock } from '../../../src/kernel/index.ts';
import { hasPart, waitFor } from '../../parts/index.ts';
import {
  type Fixture,
  guardOf,
  makeBundle,
  type RoleNames,
  readManifest,
  renamed,
  startFixture,
  uniqueNames,
} from './fixture.ts';

const manifest = z.looseObject({
  kind: z.string(),
  metadata: z.looseObject({ name: z.string() }),
  rules: z.array(z.looseObject({ resources: z.array(z.string()), verbs: z.array(z.string()) })).optional(),
  spec: z
    .looseObject({ template: z.object({ metadata: z.looseObject({}), spec: z.looseObject({}) }).optional() })
    .optional(),
  webhooks: z.array(z.looseObject({})).optional(),
  data: z.record(z.string(), z.string()).optional(),
});
const accessReview = z.object({ status: z.object({ allowed: z.boolean() }) });

const parseYaml = (yaml: string): unknown[] =>
  parseAllDocuments(yaml).map((document): unknown => document.toJS());
const parse = (yaml: string) => parseYaml(yaml).map((document) => manifest.parse(document));

const configurations = '/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations';
const policyKinds = ['authorizationpolicies', 'peerauthentications', 'requestauthentications'] as const;

describe.skipIf(!hasPart('kubeapi'))('deploy/kubernetes', () => {
  const node = `node-${randomUUID()}`;
  let fixture: Fixture;
  let namespace: string;
  let token: string;
  const configured = new Set<string>();
  const guards: string[] = [];

  beforeAll(async () => {
    fixture = await startFixture();
    namespace = await fixture.kube.createNamespace('rbac');
    for (const kind of policyKinds) await fixture.kube.apply(await readManifest(`crds/${kind}.yaml`));
    const boundPod = await fixture.kube.createPod(namespace, 'shop', 'default', node);
    token = await fixture.kube.createToken(namespace, 'default', { audiences: ['istio-ca'], boundPod });
  });
  afterAll(async () => {
    for (const name of configured) await fixture.kube.request('DELETE', `${configurations}/${name}`);
    const admission = '/apis/admissionregistration.k8s.io/v1';
    for (const name of guards)
      for (const kind of ['validatingadmissionpolicybindings', 'validatingadmissionpolicies'])
        await fixture.kube.request('DELETE', `${admission}/${kind}/${name}`);
    await fixture?.[Symbol.asyncDispose]();
  });

  /** All that the server does at the API server; each throws Unavailable when a right for it is missing. */
  const uses = (cluster: Cluster, names: RoleNames): Record<string, () => Promise<unknown>> => {
    const signal = AbortSignal.timeout(30_000);
    const directory = createWorkloadDirectory(cluster);
    const configMaps = createConfigMapPublisher(cluster, { name: names.configMap, log: silentLog });
    const bundles = createClusterTrustBundlePublisher(cluster, { signerName: names.signer, log: silentLog });
    const list = (path: string) => listAll(cluster.api, path, {}, signal);
    const policies = (use: (path: string) => Promise<unknown>) => () =>
      Promise.all(policyKinds.map((kind) => use(`/apis/security.istio.io/v1/${kind}`)));
    const slices = '/apis/discovery.k8s.io/v1/endpointslices';
    const watch = async (path: string, metadataName?: string) => {
      const selector = metadataName === undefined ? {} : { fieldSelector: `metadata.name=${metadataName}` };
      const query = { watch: 'true', timeoutSeconds: '1', ...selector };
      for await (const event of cluster.api.stream({ method: 'GET', path, query }, signal))
        if (event === undefined) throw new Error('not a watch event');
    };
    const publishTwice = async (
      publish: (bundle: Awaited<ReturnType<typeof makeBundle>>) => Promise<void>,
    ) => {
      await publish(await makeBundle('first root'));
      await publish(await makeBundle('second root'));
    };
    const webhook = createWebhookPublisher(cluster, { name: names.webhook, log: silentLog });
    const configure = async () => {
      if (configured.has(names.webhook)) return;
      configured.add(names.webhook);
      const [given] = parse(await readManifest('webhook.yaml'));
      const namespaceSelector = { matchLabels: { 'kubernetes.io/metadata.name': 'nowhere' } };
      const matchConditions = [{ name: 'always', expression: 'true' }];
      const [first = {}] = given?.webhooks ?? [];
      const webhooks = ['policies.citadel.dev', 'more.citadel.dev'].map((name) => ({
        ...first,
        name,
        namespaceSelector,
        matchConditions,
      }));
      const object = { ...given, metadata: { name: names.webhook }, webhooks };
      await fixture.kube.request('POST', configurations, object);
    };
    const writeStatus = async () => {
      const what = 'peerauthentications';
      const name = names.account;
      const path = `/apis/security.istio.io/v1/namespaces/${namespace}/${what}/${name}`;
      const policy = { apiVersion: 'security.istio.io/v1', kind: 'PeerAuthentication', spec: {} };
      await fixture.kube.apply(JSON.stringify({ ...policy, metadata: { name, namespace } }));
      const object = await fixture.kube.request('GET', path);
      const collection = policyCollections.find((each) => each.what === what) ?? expect.fail('no such kind');
      const record = readRecord(object, collection, () => ({ problems: [] }));
      const write = { record, plural: what, conditions: [], now: new Date() };
      return writeConditions(cluster.api, write, signal);
    };
    return {
      attest: () =>
        createKubernetesTokenAttestor({
          clusters: new Map([['test', cluster]]),
          defaultClusterId: 'test',
          audiences: ['istio-ca'],
          clock: systemClock,
          log: silentLog,
        }).attest({ token: new Secret(token) }, signal),
      getPod: () => directory.getPod(namespace, 'shop', signal),
      hasPodOnNode: () =>
        directory.hasPodOnNode({ nodeName: node, namespace, serviceAccount: 'default' }, signal),
      publishConfigMaps: () => publishTwice((bundle) => configMaps.publish(bundle, signal)),
      watchNamespaces: () => watch('/api/v1/namespaces'),
      watchConfigMaps: () => watch('/api/v1/configmaps', names.configMap),
      watchPods: () => watch('/api/v1/pods'),
      listServices: () => list('/api/v1/services'),
      watchServices: () => watch('/api/v1/services'),
      listSlices: () => list(slices),
      watchSlices: () => watch(slices),
      listPolicies: policies(list),
      watchPolicies: policies(watch),
      publishWebhook: async () => {
        await configure();
        await publishTwice((bundle) => webhook.publish(bundle, signal));
      },
      watchWebhook: () => watch(configurations, names.webhook),
      writeStatus,
      publishBundle: () => publishTwice((bundle) => bundles.publish(bundle, signal)),
      watchBundle: () =>
        watch('/apis/certificates.k8s.io/v1/clustertrustbundles', `${names.signer.replace('/', ':')}:bundle`),
    };
  };

  /** The rights of rbac.yaml without one verb, given to a new service account. */
  const without = async (resource: string, verb: string) => {
    const names = uniqueNames();
    const objects = parse(renamed(await readManifest('rbac.yaml'), names));
    const rules = objects.flatMap((each) => each.rules ?? []);
    const rule = rules.find((each) => each.resources.includes(resource) && each.verbs.includes(verb));
    if (rule === undefined) throw new Error(`rbac.yaml does not give ${verb} ${resource}`);
    rule.verbs.splice(rule.verbs.indexOf(verb), 1);
    // A rule without a verb is not valid.
    if (rule.verbs.length === 0) rule.verbs.push('bind');
    await fixture.kube.apply(objects.map((each) => JSON.stringify(each)).join('\n---\n'));
    const reduced = await fixture.kube.createToken('citadel-system', names.account);
    const cluster = await fixture.connect({ kubeconfigFile: await fixture.kubeconfigFor(reduced) });
    return { names, cluster };
  };

  it('gives all rights that the server uses', async () => {
    const all = Object.entries(uses(fixture.cluster, fixture.names));
    await Promise.all(all.map(([name, use]) => expect(use(), name).resolves.not.toThrow()));
  });

  it.concurrent.each([
    ['tokenreviews', 'create', ['attest']],
    ['pods', 'get', ['attest', 'getPod']],
    ['pods', 'list', ['hasPodOnNode']],
    ['pods', 'watch', ['watchPods']],
    ['services', 'list', ['listServices']],
    ['services', 'watch', ['watchServices']],
    ['endpointslices', 'list', ['listSlices']],
    ['endpointslices', 'watch', ['watchSlices']],
    ['peerauthentications', 'list', ['listPolicies']],
    ['peerauthentications', 'watch', ['watchPolicies']],
    ['validatingwebhookconfigurations', 'list', ['publishWebhook']],
    ['validatingwebhookconfigurations', 'watch', ['watchWebhook']],
    ['validatingwebhookconfigurations', 'patch', ['publishWebhook']],
    ['peerauthentications/status', 'patch', ['writeStatus']],
    ['namespaces', 'list', ['publishConfigMaps']],
    ['namespaces', 'watch', ['watchNamespaces']],
    ['configmaps', 'list', ['publishConfigMaps']],
    ['configmaps', 'watch', ['watchConfigMaps']],
    ['configmaps', 'patch', ['publishConfigMaps']],
    ['configmaps', 'create', ['publishConfigMaps']],
    ['clustertrustbundles', 'patch', ['publishBundle']],
    ['clustertrustbundles', 'create', ['publishBundle']],
    ['signers', 'attest', ['publishBundle']],
  ] as const)('gives no right too many: without %s %s something fails', async (resource, verb, failing) => {
    const { cluster, names } = await without(resource, verb);
    const all = uses(cluster, names);
    const expected: readonly string[] = failing;
    // A role takes effect a moment after it was stored: the first use that must work tells when.
    const sound = Object.keys(all).find((name) => !expected.includes(name)) ?? '';
    await waitFor(async () => all[sound]?.().then(() => true), { what: 'the role to take effect' });
    const results = await Promise.allSettled(Object.values(all).map((use) => use()));
    const failed = Object.keys(all).filter((_, index) => results[index]?.status === 'rejected');
    expect(failed).toEqual(expected);
    for (const result of results)
      if (result.status === 'rejected') expect(result.reason).toMatchObject({ code: 'Unavailable' });
  });

  it('is kept by its guard to its own objects, and to the one field of the webhook', async () => {
    const names = uniqueNames();
    await fixture.kube.apply(renamed(await readManifest('rbac.yaml'), names));
    const guard = guardOf(await readManifest('guard.yaml'), names);
    await fixture.kube.apply(guard);
    guards.push(names.role);
    const serverToken = await fixture.kube.createToken('citadel-system', names.account);
    const cluster = await fixture.connect({ kubeconfigFile: await fixture.kubeconfigFor(serverToken) });
    const own = uses(cluster, names);
    await own['publishWebhook']?.();
    const send = async (method: 'POST' | 'PATCH', path: string, body: object) => {
      const contentType = method === 'PATCH' ? 'application/strategic-merge-patch+json' : 'application/json';
      const reply = await cluster.api.request(
        { method, path, body, contentType },
        AbortSignal.timeout(10_000),
      );
      return { status: reply.status, text: JSON.stringify(reply.body) };
    };
    let made = 0;
    const configMap = async (where: string) => {
      made += 1;
      const metadata = { name: `aws-auth-${names.account}-${made}` };
      const path = `/api/v1/namespaces/${where}/configmaps`;
      return await send('POST', path, { apiVersion: 'v1', kind: 'ConfigMap', metadata });
    };
    // A policy takes effect a moment after it was stored.
    await waitFor(async () => (await configMap(namespace)).status === 422, { what: 'the guard' });
    expect((await configMap('kube-system')).text).toContain('makes no other ConfigMap');
    const bundles = '/apis/certificates.k8s.io/v1/clustertrustbundles';
    const other = await send('POST', bundles, {
      apiVersion: 'certificates.k8s.io/v1',
      kind: 'ClusterTrustBundle',
      metadata: { name: `${names.signer.replace('/', ':')}:other` },
      spec: { signerName: names.signer, trustBundle: (await makeBundle('other')).pem },
    });
    expect(other.text).toContain('makes no other ClusterTrustBundle');
    const clientConfig = { url: 'https://thief.example/', service: null };
    for (const change of [
      { failurePolicy: 'Fail' },
      { matchConditions: [{ name: 'always', expression: 'false' }] },
      { matchConditions: null },
      { $patch: 'delete' },
      { namespaceSelector: null },
      { rules: [{ apiGroups: [''], apiVersions: ['v1'], operations: ['CREATE'], resources: ['secrets'] }] },
      { clientConfig },
      { clientConfig: { caBundle: null } },
      { clientConfig: { service: { namespace: 'thief', name: 'citadel' } } },
      { name: 'another.citadel.dev', clientConfig, sideEffects: 'None', admissionReviewVersions: ['v1'] },
    ]) {
      const webhooks = [{ name: 'policies.citadel.dev', ...change }];
      const reply = await send('PATCH', `${configurations}/${names.webhook}`, { webhooks });
      expect(reply.text, JSON.stringify(change)).toContain('changes nothing of a webhook but caBundle');
    }
    await Promise.all(Object.entries(own).map(([name, use]) => expect(use(), name).resolves.not.toThrow()));
    expect((await configMapOfOthers()).status).toBe(201);

    async function configMapOfOthers() {
      const metadata = { name: 'of-somebody-else' };
      const path = `/api/v1/namespaces/${namespace}/configmaps`;
      return await fixture.kube.send('POST', path, { apiVersion: 'v1', kind: 'ConfigMap', metadata });
    }
  });

  it('denies what the server has no business with', async () => {
    const allowed = async (verb: string, resource: string, group = '', name?: string) => {
      const resourceAttributes = { verb, resource, group, ...(name === undefined ? {} : { name }) };
      const review = { spec: { resourceAttributes } };
      const reply = await fixture.kube.request(
        'POST',
        '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews',
        { apiVersion: 'authorization.k8s.io/v1', kind: 'SelfSubjectAccessReview', ...review },
        { token: fixture.serverToken },
      );
      return accessReview.parse(reply).status.allowed;
    };
    expect(await allowed('create', 'tokenreviews', 'authentication.k8s.io')).toBe(true);
    for (const verb of ['get', 'list', 'watch']) expect(await allowed(verb, 'secrets')).toBe(false);
    for (const verb of ['create', 'delete', 'patch']) expect(await allowed(verb, 'pods')).toBe(false);
    expect(await allowed('list', 'configmaps')).toBe(false);
    expect(await allowed('patch', 'configmaps', '', 'kube-root-ca.crt')).toBe(false);
    expect(await allowed('delete', 'configmaps', '', fixture.names.configMap)).toBe(false);
    expect(await allowed('create', 'serviceaccounts/token')).toBe(false);
    expect(await allowed('impersonate', 'users')).toBe(false);
    expect(await allowed('attest', 'signers', 'certificates.k8s.io', 'kubernetes.io/kubelet-serving')).toBe(
      false,
    );
    for (const verb of ['create', 'delete', 'update']) {
      expect(await allowed(verb, 'validatingwebhookconfigurations', 'admissionregistration.k8s.io')).toBe(
        false,
      );
      expect(await allowed(verb, 'peerauthentications', 'security.istio.io')).toBe(false);
    }
    expect(await allowed('patch', 'validatingwebhookconfigurations', 'admissionregistration.k8s.io')).toBe(
      false,
    );
    expect(await allowed('patch', 'peerauthentications', 'security.istio.io')).toBe(false);
    expect(await allowed('*', 'clusterroles', 'rbac.authorization.k8s.io')).toBe(false);
    const secrets = await fixture.kube.send('GET', '/api/v1/secrets', undefined, {
      token: fixture.serverToken,
    });
    expect(secrets.status).toBe(403);
  });

  it('is accepted by the API server, and its pods meet the restricted pod security standard', async () => {
    for (const file of ['namespace.yaml', 'rbac.yaml', 'config.yaml', 'server.yaml', 'guard.yaml'])
      await fixture.kube.apply(await readManifest(file));
    const deployment = parse(await readManifest('server.yaml')).find(({ kind }) => kind === 'Deployment');
    const { metadata, spec } = deployment?.spec?.template ?? {};
    const pod = { apiVersion: 'v1', kind: 'Pod', metadata: { ...metadata, name: 'citadel' }, spec };
    const pods = '/api/v1/namespaces/citadel-system/pods?dryRun=All';
    await expect(fixture.kube.request('POST', pods, pod)).resolves.toMatchObject({
      spec: { serviceAccountName: 'citadel' },
    });
    const root = { ...spec, securityContext: { runAsUser: 0 } };
    expect((await fixture.kube.send('POST', pods, { ...pod, spec: root })).status).toBe(403);
    const istio = await fixture.kube.createNamespace('istio');
    const alias = (await readManifest('istiod-alias.yaml')).replace(
      'namespace: istio-system',
      `namespace: ${istio}`,
    );
    await fixture.kube.apply(alias);
  });

  it('has a configuration that the server reads, with the names that the roles give', async () => {
    const [configMap] = parse(await readManifest('config.yaml'));
    const [document] = parseYaml(configMap?.data?.['citadel.yaml'] ?? '');
    const config = serverConfigFromObject(z.looseObject({}).parse(document));
    const roles = await readManifest('rbac.yaml');
    expect(config.publish.configMap?.name).toBe('istio-ca-root-cert');
    expect(config.publish.clusterTrustBundle?.signerName).toBe('citadel.dev/mesh');
    const guard = await readManifest('guard.yaml');
    expect(guard).toContain("object.metadata.name == 'istio-ca-root-cert'");
    expect(guard).toContain("object.metadata.name == 'citadel.dev:mesh:bundle'");
    expect(roles).toContain('resourceNames: [citadel-policies]');
    expect(roles).toContain('resourceNames: [istio-ca-root-cert]');
    expect(roles).toContain('resourceNames: [citadel.dev/mesh]');
    expect(roles).toContain('resourceNames: ["citadel.dev:mesh:bundle"]');
  });
});
