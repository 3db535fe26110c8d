import { writeFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createEnvoyRenderer } from '../../../src/adapters/envoy/index.ts';
import { text } from '../../../src/adapters/kubernetes/api/index.ts';
import { connectCluster } from '../../../src/adapters/kubernetes/index.ts';
import { createKubernetesMeshSource } from '../../../src/adapters/kubernetes/mesh/index.ts';
import { createFileSource } from '../../../src/adapters/registry/index.ts';
import { openSqliteStore } from '../../../src/adapters/store/sqlite/index.ts';
import { canonicalJson } from '../../../src/domain/mesh/content-hash.ts';
import type { MeshSettings } from '../../../src/domain/mesh/index.ts';
import { composeSnapshot } from '../../../src/domain/mesh/snapshot.ts';
import { indexMesh, viewOf } from '../../../src/domain/mesh/view.ts';
import {
  canonicalPolicy,
  createPolicyService,
  createStoredPolicySource,
  formatPolicyProblem,
  readPolicy,
} from '../../../src/domain/policy/index.ts';
import type { MeshContent, MeshSource } from '../../../src/domain/ports/index.ts';
import { silentLog, systemClock } from '../../../src/kernel/index.ts';
import { memoryArchive } from '../../fakes/memory-archive.ts';
import { meshSettings } from '../../fakes/mesh-settings.ts';
import { hasPart, type TemporaryDirectory, temporaryDirectory } from '../../parts/index.ts';
import { runPod, writeSlice } from '../mesh/cluster.ts';
import { type Fixture, readManifest, startFixture } from './fixture.ts';

const settings: MeshSettings = { ...meshSettings, trustDomainAliases: ['old.example.org'] };
const own = { clock: systemClock, log: silentLog };

/** Of nobody; as RFC 7517 has it. */
const keys = JSON.stringify({
  keys: [
    {
      kty: 'EC',
      crv: 'P-256',
      kid: 'example',
      x: 'Kn9loMQAJhLtzTx3h07gL_ssKWdkgCFTQMaEn0EQPks',
      y: '9DcAQaIfcdZPrueo1Sl2hgE6szf8Cizjp3NZHIj3HKE',
    },
  ],
});

const policies = (namespace: string) => `apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {name: orders, namespace: ${namespace}, annotations: {istio.io/dry-run: "false"}}
spec:
  selector: {matchLabels: {app: orders}}
  action: DENY
  rules:
    - from: [{source: {notPrincipals: ["example.org/ns/shop/sa/web", "a"]}}]
      to: [{operation: {paths: ["/b", "/a"], methods: ["GET"]}}]
      when: [{key: "request.headers[x]", values: ["2", "1"]}]
---
apiVersion: security.istio.io/v1
kind: PeerAuthentication
metadata: {name: default, namespace: ${namespace}}
spec: {selector: {matchLabels: {app: orders}}, mtls: {mode: STRICT}, portLevelMtls: {"9090": {mode: DISABLE}, "8080": {mode: STRICT}}}
---
apiVersion: security.istio.io/v1
kind: RequestAuthentication
metadata: {name: tokens, namespace: ${namespace}}
spec: {jwtRules: [{issuer: "https://id.example", audiences: ["b", "a"], jwks: '${keys}'}]}
`;

const registry = (namespace: string, address: string, clusterIp: string) => `apiVersion: citadel.dev/v1
kind: Service
metadata: {namespace: ${namespace}, name: orders}
spec:
  hosts: [orders.${namespace}.svc.cluster.local, orders.${namespace}.svc, orders.${namespace}]
  addresses: ["${clusterIp}"]
  ports: [{port: 80, name: http, targetPort: 8080}]
  selector: {app: orders}
---
apiVersion: citadel.dev/v1
kind: Workload
metadata: {namespace: ${namespace}, name: web-1, labels: {app: web}}
spec:
  serviceAccount: web
  addresses: ["${address}"]
  egress: [{listen: "127.0.0.1:7000", service: ${namespace}/orders, port: 80}]
---
apiVersion: citadel.dev/v1
kind: Workload
metadata: {namespace: ${namespace}, name: orders-1, labels: {app: orders}}
spec:
  serviceAccount: orders
  addresses: ["${address}"]
  ports: [{port: 8080, application: "127.0.0.1:9080"}]
`;

describe.skipIf(!hasPart('kubeapi'))('the same content', () => {
  const cleanup = new AsyncDisposableStack();
  let fixture: Fixture;
  let directory: TemporaryDirectory;
  let namespace: string;

  beforeAll(async () => {
    fixture = cleanup.use(await startFixture());
    directory = cleanup.use(await temporaryDirectory('same'));
    for (const kind of ['authorizationpolicies', 'peerauthentications', 'requestauthentications'])
      await fixture.kube.apply(await readManifest(`crds/${kind}.yaml`));
    namespace = await fixture.kube.createNamespace('same');
  });
  afterAll(() => cleanup.disposeAsync());

  /** What a source gives of the test's namespace: the API server has others’ too. */
  const contentOf = async (source: MeshSource): Promise<MeshContent> => {
    cleanup.defer(() => source.close());
    await source.start(() => {});
    const content = source.content() ?? expect.fail(`nothing from ${source.name}: ${source.state().problem}`);
    expect(source.state().rejected.filter(({ reason }) => reason.includes(namespace))).toEqual([]);
    return {
      workloads: content.workloads.filter((each) => each.namespace === namespace),
      services: content.services.filter((each) => each.namespace === namespace),
      policies: content.policies.filter(({ meta }) => meta.namespace === namespace),
    };
  };
  const fromFiles = async (name: string, content: string) => {
    const home = cleanup.use(await temporaryDirectory(name));
    await writeFile(home.join('all.yaml'), content);
    return contentOf(createFileSource({ ...own, directory: home.path, archive: memoryArchive() }));
  };
  const fromCluster = async () => {
    const kubeconfigFile = await fixture.kubeconfigFor(fixture.serverToken);
    // By the name under which files stand, so that the workloads' ids are the same.
    const cluster = await connectCluster({ clusterId: 'files', kubeconfigFile, log: silentLog });
    cleanup.defer(() => cluster.close());
    const read = (object: unknown) => {
      const { policy, problems } = readPolicy(object, { source: 'kubernetes/files' });
      return { policy, problems: problems.map(formatPolicyProblem) };
    };
    const content = await contentOf(
      createKubernetesMeshSource({ cluster, archive: memoryArchive(), readPolicy: read }),
    );
    expect(content.workloads.map(({ proxyKey }) => proxyKey?.split(':')[0])).toEqual(['pod', 'pod']);
    return { ...content, workloads: content.workloads.map((each) => ({ ...each, proxyKey: undefined })) };
  };
  const fromStore = async (given: string) => {
    const store = await openSqliteStore({ file: directory.join('store'), onQueue: () => {}, ...own });
    cleanup.defer(() => store.close());
    const source = createStoredPolicySource(store.policies, systemClock);
    const service = createPolicyService({
      store: store.policies,
      audit: store.audit,
      clock: systemClock,
      snapshot: () => undefined,
      changed: () => source.refresh(),
    });
    const change = { texts: [{ source: 'x', text: given }], remove: [] };
    await service.apply(change, 0, { subject: 'test', proof: 'test' }, '');
    return contentOf(source);
  };

  /**
   * All that a snapshot says, and all that proxies are sent of it. Left out is what names the source by design: where and
   * when a policy was written, and under which key a cluster's certificates are issued.
   */
  const bytesOf = (...contents: readonly MeshContent[]) => {
    const snapshot = composeSnapshot(settings, contents);
    expect([snapshot.workloads.size, snapshot.services.size, snapshot.policies.length]).toEqual([2, 1, 3]);
    expect(snapshot.shadowed).toEqual([]);
    const { workloads, services, keySets } = snapshot;
    const index = indexMesh(snapshot);
    const renderer = createEnvoyRenderer();
    return {
      version: snapshot.version,
      canonical: canonicalJson({
        workloads,
        services,
        keySets,
        policies: snapshot.policies.map(canonicalPolicy),
      }),
      sent: [...workloads.keys()].map((id) => {
        const resources = renderer.render(viewOf(index, id) ?? expect.fail('no view'));
        return [...resources].map(([type, byName]) => [
          type,
          [...byName].map(([name, { value, version }]) => [
            name,
            version,
            Buffer.from(value).toString('base64'),
          ]),
        ]);
      }),
    };
  };

  it('from files, from a cluster, and policies from the store make the same bytes', async () => {
    const { kube } = fixture;
    for (const account of ['orders', 'web']) await kube.createServiceAccount(namespace, account);
    const orders = await runPod(kube, namespace, 'orders-1', 'orders', {
      'citadel.dev/proxy': 'explicit',
      'citadel.dev/ports': '[{port: 8080, application: "127.0.0.1:9080"}]',
    });
    await runPod(kube, namespace, 'web-1', 'web', {
      'citadel.dev/proxy': 'explicit',
      'citadel.dev/ports': '[]',
      'citadel.dev/egress': `[{listen: "127.0.0.1:7000", service: ${namespace}/orders, port: 80}]`,
    });
    const ports = [{ name: 'http', port: 80, targetPort: 8080 }];
    const made = await kube.request('POST', `/api/v1/namespaces/${namespace}/services`, {
      metadata: { name: 'orders' },
      spec: { ports },
    });
    await writeSlice(kube, namespace, 'orders', 8080, [orders]);
    await kube.apply(policies(namespace));
    const cluster = await fromCluster();
    const [address = ''] = cluster.workloads[0]?.addresses ?? [];
    const mesh = registry(namespace, address, text(made, 'spec', 'clusterIP') ?? '');

    const files = await fromFiles('whole', `${mesh}---\n${policies(namespace)}`);
    const expected = bytesOf(files);
    expect(bytesOf(cluster)).toEqual(expected);
    const meshAlone = await fromFiles('mesh', mesh);
    expect(bytesOf(meshAlone, await fromStore(policies(namespace)))).toEqual(expected);
    expect(
      bytesOf(await fromFiles('json', asJson(mesh)), await fromFiles('policies', policies(namespace))),
    ).toEqual(expected);
  });
});

/** The same objects in another notation and order. */
function asJson(yaml: string): string {
  return yaml.split('---\n').toReversed().join('---\n');
}
