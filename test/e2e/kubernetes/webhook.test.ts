import { generateKeyPairSync } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { Agent } from 'node:https';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { z } from 'zod';
import { field, items, text } from '../../../src/adapters/kubernetes/api/index.ts';
import { createWebhookPublisher } from '../../../src/adapters/kubernetes/index.ts';
import { silentLog } from '../../../src/kernel/index.ts';
import {
  exchange,
  freePort,
  hasPart,
  type KubeApi,
  startKubeApi,
  temporaryDirectory,
  waitFor,
} from '../../parts/index.ts';
import { startTestServer, type TestServer } from '../../support/server.ts';
import { type Fixture, makeBundle, readManifest, startFixture } from './fixture.ts';
import { selfSigned } from './self-signed.ts';

const kinds = ['authorizationpolicies', 'peerauthentications', 'requestauthentications'];
const configurations = '/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations';

/** The manifest as it is, but that the API server finds us on this machine, and asks of one namespace alone. */
async function configuration(name: string, port: number, namespace: string, failurePolicy = 'Fail') {
  const [document] = parseAllDocuments(await readManifest('webhook.yaml'));
  const { webhooks, ...rest } = z
    .looseObject({ webhooks: z.array(z.looseObject({})) })
    .parse(document?.toJS());
  return {
    ...rest,
    metadata: { name },
    webhooks: webhooks.map((webhook) => ({
      ...webhook,
      clientConfig: { url: `https://localhost:${port}/validate` },
      failurePolicy,
      namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': namespace } },
    })),
  };
}

const policy = (name: string, spec: object, annotations: object = {}) => ({
  apiVersion: 'security.istio.io/v1',
  kind: 'AuthorizationPolicy',
  metadata: { name, annotations },
  spec,
});
const from = (source: object) => ({ rules: [{ from: [{ source }] }] });

describe.skipIf(!hasPart('kubeapi'))('the webhook for policies', () => {
  const cleanup = new AsyncDisposableStack();
  let fixture: Fixture;
  let namespace: string;
  let server: TestServer;

  beforeAll(async () => {
    fixture = cleanup.use(await startFixture());
    for (const kind of kinds) await fixture.kube.apply(await readManifest(`crds/${kind}.yaml`));
    namespace = await fixture.kube.createNamespace('webhook');
    const kubeconfig = await fixture.kubeconfigFor(fixture.serverToken);
    const webhook = { configuration: fixture.names.webhook };
    server = cleanup.use(
      await startTestServer({
        attestation: { kubernetes: { clusters: [{ id: 'Kubernetes', kubeconfig }] } },
        mesh: { sources: { kubernetes: { webhook, policyStatus: false } } },
      }),
    );
    const port = server.app.webhook?.port ?? 0;
    await fixture.kube.apply(JSON.stringify(await configuration(fixture.names.webhook, port, namespace)));
    cleanup.defer(async () => {
      await fixture.kube.request('DELETE', `${configurations}/${fixture.names.webhook}`);
    });
  });
  afterAll(async () => {
    await cleanup.disposeAsync();
  });

  const create = (object: object, query = '', kube: KubeApi = fixture.kube, where = namespace) =>
    kube.send('POST', `/apis/security.istio.io/v1/namespaces/${where}/authorizationpolicies${query}`, object);
  const caBundle = async () => {
    const object = await fixture.kube.request('GET', `${configurations}/${fixture.names.webhook}`);
    const [webhook] = items(object, 'webhooks');
    return Buffer.from(text(webhook, 'clientConfig', 'caBundle') ?? '', 'base64').toString();
  };
  /** The API server asks a webhook some time after its configuration was stored. */
  const asked = (kube: KubeApi = fixture.kube, where = namespace) =>
    waitFor(
      async () => {
        const probe = policy('probe', {}, { 'istio.io/dry-run': 'perhaps' });
        const { status, body } = await create(probe, '?dryRun=All', kube, where);
        return status === 422 && body.includes('perhaps');
      },
      { what: 'the webhook to be asked', deadline: 20_000 },
    );

  it('is trusted by the bundle that the server writes, also when that changes or is taken away', async () => {
    const { pem } = server.app.authority.bundle();
    await waitFor(async () => (await caBundle()) === pem, { what: 'the bundle' });
    await asked();
    await fixture.kube.apply(
      JSON.stringify(await configuration(fixture.names.webhook, server.app.webhook?.port ?? 0, namespace)),
    );
    expect(await caBundle()).toBe(pem);
    const other = Buffer.from((await makeBundle('other')).pem).toString('base64');
    await fixture.kube.request(
      'PATCH',
      `${configurations}/${fixture.names.webhook}`,
      { webhooks: [{ name: 'policies.citadel.dev', clientConfig: { caBundle: other } }] },
      { contentType: 'application/strategic-merge-patch+json' },
    );
    await waitFor(async () => (await caBundle()) === pem, { what: 'the bundle again' });
  });

  it('lets a good policy pass, refuses a bad one with what mends it, and warns', async () => {
    await asked();
    const good = await create(policy('good', from({ namespaces: ['shop'] })));
    expect(good.status).toBe(201);
    expect(good.headers['warning']).toBeUndefined();
    const bad = await create(policy('bad', {}, { 'istio.io/dry-run': 'yes' }));
    expect(bad.status).toBe(422);
    expect(JSON.parse(bad.body)).toMatchObject({
      reason: 'Invalid',
      message: `admission webhook "policies.citadel.dev" denied the request: metadata.annotations["istio.io/dry-run"]: must be "true" or "false", not "yes"; write "true" in quotes: annotations are text`,
      details: {
        kind: 'AuthorizationPolicy',
        name: 'bad',
        causes: [{ field: expect.stringContaining('dry-run') }],
      },
    });
    const odd = await create(policy('odd', from({ principals: [`spiffe://x/ns/${'a'.repeat(300)}/sa/b`] })));
    expect(odd.status).toBe(201);
    // The header is UTF-8, which Node takes for Latin-1.
    expect(Buffer.from(odd.headers['warning'] ?? '', 'latin1').toString()).toMatch(
      /^299 - "spec\.rules\[0\]\.from\[0\]\.source\.principals\[0\]: a principal is written without spiffe:\/\/.*…"$/,
    );
  });

  it('tells nothing of what else there is while an API server does not show who it is', async () => {
    await asked();
    await waitFor(() => server.app.controlPlane?.snapshot(), { what: 'the snapshot' });
    const object = policy('nobody', { selector: { matchLabels: { app: 'none' } }, rules: [{}] });
    const { status, headers } = await create(object, '?dryRun=All');
    expect([status, headers['warning']]).toEqual([201, undefined]);
  });

  it('judges a change, a dry run and an apply of the server’s side as well, and stores nothing then', async () => {
    await asked();
    await create(policy('changed', from({ namespaces: ['shop'] })));
    const path = `/apis/security.istio.io/v1/namespaces/${namespace}/authorizationpolicies/changed`;
    const change = { metadata: { annotations: { 'istio.io/dry-run': 'yes' } } };
    const contentType = 'application/merge-patch+json';
    expect((await fixture.kube.send('PATCH', path, change, { contentType })).status).toBe(422);
    const apply = { contentType: 'application/apply-patch+yaml' };
    const object = policy('changed', from({ namespaces: ['shop'] }), { 'istio.io/dry-run': 'yes' });
    expect((await fixture.kube.send('PATCH', `${path}?fieldManager=kubectl`, object, apply)).status).toBe(
      422,
    );
    expect((await create(policy('dry', {}), '?dryRun=All')).status).toBe(201);
    expect((await fixture.kube.send('GET', `${path}/../dry`, undefined)).status).toBe(404);
    expect((await fixture.kube.send('DELETE', path, undefined)).status).toBe(200);
  });

  it('lets what is broken already go, also when it goes in steps', async () => {
    await asked();
    const broken = {
      ...policy('broken', {}),
      metadata: { name: 'broken', finalizers: ['example.org/wait'] },
    };
    expect((await create(broken)).status).toBe(201);
    const path = `/apis/security.istio.io/v1/namespaces/${namespace}/authorizationpolicies/broken`;
    expect((await fixture.kube.send('DELETE', path, undefined)).status).toBe(200);
    const last = { metadata: { finalizers: null, annotations: { 'istio.io/dry-run': 'no' } } };
    const contentType = 'application/merge-patch+json';
    expect((await fixture.kube.send('PATCH', path, last, { contentType })).status).toBe(200);
  });

  it('has a manifest that the API server takes, by which Citadel’s service is asked', async () => {
    const manifest = parseAllDocuments(await readManifest('webhook.yaml')).map((each): unknown =>
      each.toJS(),
    );
    const stored = await fixture.kube.request('POST', `${configurations}?dryRun=All`, manifest[0]);
    expect(items(stored, 'webhooks')).toMatchObject([
      {
        clientConfig: {
          service: { namespace: 'citadel-system', name: 'citadel', port: 15017, path: '/validate' },
        },
        failurePolicy: 'Ignore',
        sideEffects: 'None',
      },
    ]);
  });
});

describe.skipIf(!hasPart('kubeapi'))('the publisher of the webhook’s bundle', () => {
  let fixture: Fixture;
  const never = new AbortController().signal;

  beforeAll(async () => {
    fixture = await startFixture();
  });
  afterAll(async () => {
    await fixture.kube.send('DELETE', `${configurations}/${fixture.names.webhook}`, undefined);
    await fixture?.[Symbol.asyncDispose]();
  });

  it('changes its own webhooks’ bundles and nothing else, writes nothing twice, and makes nothing', async () => {
    const { webhook: name } = fixture.names;
    const publisher = createWebhookPublisher(fixture.cluster, { name, log: silentLog });
    const writes = () => fixture.proxy.seen.filter(({ method }) => method !== 'GET').length;
    const [first, second] = [await makeBundle('first'), await makeBundle('second')];
    await publisher.publish(first, never);
    expect(writes()).toBe(0);
    const given = await configuration(name, 1, 'nowhere', 'Ignore');
    const foreign = { ...given.webhooks[0], name: 'policies.example.org' };
    await fixture.kube.request('POST', configurations, { ...given, webhooks: [...given.webhooks, foreign] });
    const stored = async () =>
      items(await fixture.kube.request('GET', `${configurations}/${name}`), 'webhooks');
    const before = await stored();
    for (const { pem } of [first, second]) {
      await publisher.publish({ ...first, pem }, never);
      const caBundle = Buffer.from(pem).toString('base64');
      const [own, other] = before;
      const clientConfig = { ...Object(field(own, 'clientConfig')), caBundle };
      expect(await stored()).toEqual([{ ...Object(own), clientConfig }, other]);
    }
    const made = writes();
    await publisher.publish(second, never);
    expect(writes()).toBe(made);
    const watching = new AbortController();
    const watched = publisher.watch(() => first, watching.signal);
    const bundle = async () => text((await stored())[0], 'clientConfig', 'caBundle');
    const wanted = Buffer.from(first.pem).toString('base64');
    await waitFor(async () => (await bundle()) === wanted, { what: 'the bundle of this moment' });
    watching.abort();
    await watched;
  });
});

describe.skipIf(!hasPart('kubeapi'))('a webhook that asks for the API server’s certificate', () => {
  it('tells such a server what only it may be told, and others nothing', async () => {
    await using cleanup = new AsyncDisposableStack();
    const directory = cleanup.use(await temporaryDirectory('webhook'));
    const port = await freePort();
    const keys = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const certificate = await selfSigned(keys, 'kube-apiserver');
    const key = keys.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
    await writeFile(directory.join('client.pem'), certificate);
    await writeFile(directory.join('client.key'), key, { mode: 0o600 });
    const user = {
      'client-certificate': directory.join('client.pem'),
      'client-key': directory.join('client.key'),
    };
    const users = [{ name: `localhost:${port}`, user }];
    await writeFile(directory.join('webhooks'), JSON.stringify({ apiVersion: 'v1', kind: 'Config', users }));
    const plugin = {
      name: 'ValidatingAdmissionWebhook',
      configuration: {
        apiVersion: 'apiserver.config.k8s.io/v1',
        kind: 'WebhookAdmissionConfiguration',
        kubeConfigFile: directory.join('webhooks'),
      },
    };
    const admission = {
      apiVersion: 'apiserver.config.k8s.io/v1',
      kind: 'AdmissionConfiguration',
      plugins: [plugin],
    };
    await writeFile(directory.join('admission'), JSON.stringify(admission));
    const args = [`--admission-control-config-file=${directory.join('admission')}`];
    const kube = cleanup.use(await startKubeApi({ args }));
    for (const file of ['namespace.yaml', 'rbac.yaml', ...kinds.map((kind) => `crds/${kind}.yaml`)])
      await kube.apply(await readManifest(file));
    const namespace = await kube.createNamespace('webhook');
    await kube.writeKubeconfig(
      directory.join('kubeconfig'),
      await kube.createToken('citadel-system', 'citadel'),
    );
    const webhook = { clientAuthorities: directory.join('client.pem'), clientNames: ['kube-apiserver'] };
    const server = cleanup.use(
      await startTestServer({
        listen: {
          csr: '127.0.0.1:0',
          metrics: '127.0.0.1:0',
          operator: '127.0.0.1:0',
          webhook: `127.0.0.1:${port}`,
        },
        attestation: {
          kubernetes: { clusters: [{ id: 'Kubernetes', kubeconfig: directory.join('kubeconfig') }] },
        },
        mesh: { sources: { kubernetes: { webhook, policyStatus: false } } },
      }),
    );
    await kube.apply(JSON.stringify(await configuration('citadel-policies', port, namespace)));
    await waitFor(() => server.app.controlPlane?.snapshot(), { what: 'the snapshot' });
    const object = policy('nobody', { selector: { matchLabels: { app: 'none' } }, rules: [{}] });
    const path = `/apis/security.istio.io/v1/namespaces/${namespace}/authorizationpolicies?dryRun=All`;
    const warning = await waitFor(async () => (await kube.send('POST', path, object)).headers['warning'], {
      what: 'the warning',
      deadline: 20_000,
    });
    expect(warning).toContain('no workload has all these labels');
    const ca = server.app.authority.bundle().pem;
    const stranger = cleanup.adopt(new Agent({ ca }), (each) => Promise.resolve(each.destroy()));
    const reply = await exchange(`https://localhost:${port}/validate`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: '{}',
      agent: stranger,
    });
    expect(reply.status).toBe(403);
  }, 120_000);
});
