import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import type { ControlPlane } from '../../../src/domain/mesh/index.ts';
import {
  exchange,
  freePort,
  hasPart,
  type KubeApi,
  startKubeApi,
  temporaryDirectory,
  waitFor,
} from '../../parts/index.ts';
import { type Application, startApplication, startWorkload } from '../../support/mesh.ts';
import { startTestServer, type TestServer } from '../../support/server.ts';
import { readManifest } from '../kubernetes/fixture.ts';
import { hostAddress, type RunningPod, runPod, writeSlice } from './cluster.ts';

const withStatus = z.object({
  status: z
    .object({ conditions: z.array(z.looseObject({ type: z.string(), reason: z.string() })) })
    .default({ conditions: [] }),
});
const policies = ['authorizationpolicies', 'peerauthentications', 'requestauthentications'];

describe.skipIf(!hasPart('envoy') || !hasPart('kubeapi') || hostAddress === undefined)(
  'two Envoys in pods of a cluster that the control plane follows',
  () => {
    const cleanup = new AsyncDisposableStack();
    const namespace = 'shop';
    let kube: KubeApi;
    let restart: () => Promise<void>;
    let server: TestServer;
    let egress: number;

    beforeAll(async () => {
      const directory = cleanup.use(await temporaryDirectory('kube-mesh'));
      const options = { shared: false, directory: directory.join('data'), port: await freePort() };
      const start = async () => {
        kube = await startKubeApi(options);
      };
      await start();
      restart = start;
      cleanup.defer(() => kube[Symbol.asyncDispose]());
      for (const file of ['namespace.yaml', 'rbac.yaml', ...policies.map((kind) => `crds/${kind}.yaml`)])
        await kube.apply(await readManifest(file));
      await kube.request('POST', '/api/v1/namespaces', { metadata: { name: namespace } });
      for (const account of ['orders', 'web']) await kube.createServiceAccount(namespace, account);
      const kubeconfig = directory.join('kubeconfig');
      // Just the rights of deploy/kubernetes/rbac.yaml.
      await kube.writeKubeconfig(kubeconfig, await kube.createToken('citadel-system', 'citadel'));
      const clusters = [{ id: 'Kubernetes', kubeconfig }];
      server = cleanup.use(
        await startTestServer({
          attestation: { kubernetes: { clusters } },
          mesh: { sources: { kubernetes: {} } },
        }),
      );
    });
    afterAll(async () => {
      await cleanup.disposeAsync();
    });

    /** A pod of `orders` with an application, an agent and an Envoy, on a port of its own. */
    const startOrders = async (
      name: string,
    ): Promise<{ readonly port: number; readonly pod: RunningPod }> => {
      const application: Application = cleanup.use(await startApplication(name));
      const port = await freePort();
      const ports = JSON.stringify([{ port, application: `127.0.0.1:${application.port}` }]);
      const pod = await runPod(kube, namespace, name, 'orders', {
        'citadel.dev/proxy': 'explicit',
        'citadel.dev/ports': ports,
      });
      await known(name);
      cleanup.use(await startWorkload(server, name, 'orders', { namespace, token: pod.token }));
      return { port, pod };
    };
    const controlPlane = (): ControlPlane => server.app.controlPlane ?? expect.fail('no control plane');
    const known = (name: string) =>
      waitFor(() => controlPlane().snapshot()?.workloads.has(`Kubernetes/${namespace}/${name}`), {
        what: `${name} to be known`,
      });
    const state = () => controlPlane().sources()[0] ?? expect.fail('no source');
    const call = async () => {
      const { status, body, headers } = await exchange(`http://127.0.0.1:${egress}/42`);
      return { status, body, caller: headers['x-caller'] };
    };
    const answersFrom = (name: string) =>
      waitFor(async () => (await call()).body === `${name} GET /42`, { what: `an answer of ${name}` });

    it('speak mutual TLS with each other', async () => {
      const { port, pod } = await startOrders('orders-1');
      egress = await freePort();
      const service = { metadata: { name: 'orders' }, spec: { ports: [{ name: 'http', port: 80 }] } };
      await kube.request('POST', `/api/v1/namespaces/${namespace}/services`, service);
      await writeSlice(kube, namespace, 'orders', port, [pod]);
      const web = await runPod(kube, namespace, 'web-1', 'web', {
        'citadel.dev/proxy': 'explicit',
        'citadel.dev/egress': `[{listen: "127.0.0.1:${egress}", service: ${namespace}/orders, port: 80}]`,
      });
      await known('web-1');
      cleanup.use(await startWorkload(server, 'web-1', 'web', { namespace, token: web.token }));
      await answersFrom('orders-1');
      expect((await call()).caller).toMatch(/;URI=spiffe:\/\/example\.org\/ns\/shop\/sa\/web$/);
      expect(
        controlPlane()
          .proxies()
          .map(({ workload, proxy }) => [workload, proxy.proxyKey]),
      ).toContainEqual([`Kubernetes/${namespace}/web-1`, `pod:Kubernetes/${web.uid}`]);
      expect(state()).toMatchObject({ name: 'kubernetes/Kubernetes', problem: undefined, rejected: [] });
    });

    it('follow a pod that takes another’s place', async () => {
      const { port, pod } = await startOrders('orders-2');
      await kube.deletePod(namespace, 'orders-1');
      await writeSlice(kube, namespace, 'orders', port, [pod]);
      await answersFrom('orders-2');
      expect((await call()).caller).toMatch(/\/ns\/shop\/sa\/web$/);
    });

    it('take a policy of the cluster, and keep its last good form', async () => {
      const path = `/apis/security.istio.io/v1/namespaces/${namespace}/peerauthentications`;
      const port = controlPlane().snapshot()?.services.get('shop/orders')?.ports[0]?.endpoints[0]?.port;
      const plain = () => exchange(`http://${hostAddress}:${port}/`).then(({ status }) => status);
      expect(await plain()).toBe(200);
      const policy = {
        apiVersion: 'security.istio.io/v1',
        kind: 'PeerAuthentication',
        metadata: { name: 'default', annotations: { 'istio.io/dry-run': 'false' } },
        spec: { mtls: { mode: 'STRICT' } },
      };
      await kube.request('POST', path, policy);
      await waitFor(
        () =>
          plain().then(
            () => false,
            () => true,
          ),
        { what: 'plaintext to be refused' },
      );
      expect((await call()).status).toBe(200);
      const condition = (type: string, reason: string) =>
        waitFor(
          async () => {
            const { status } = withStatus.parse(await kube.request('GET', `${path}/default`));
            return status.conditions.find((each) => each.type === type && each.reason === reason);
          },
          { what: `${type} to be ${reason}` },
        );
      const inForce = { status: 'True', observedGeneration: 1 };
      expect(await condition('Accepted', 'Accepted')).toMatchObject(inForce);
      expect(await condition('Programmed', 'Programmed')).toMatchObject({
        ...inForce,
        message: '2 of 2 proxies accepted it',
      });
      const broken = {
        metadata: { annotations: { 'istio.io/dry-run': 'perhaps' } },
        spec: { mtls: { mode: 'DISABLE' } },
      };
      await kube.request('PATCH', `${path}/default`, broken, { contentType: 'application/merge-patch+json' });
      await waitFor(() => state().rejected[0], { what: 'the broken policy to be told' });
      expect(state().rejected[0]).toMatchObject({ object: 'peerauthentications shop/default' });
      expect(state().rejected[0]?.reason).toContain('must be "true" or "false"');
      await expect(plain()).rejects.toThrow();
      expect(await condition('Accepted', 'Invalid')).toMatchObject({
        observedGeneration: 2,
        message: expect.stringContaining('must be "true" or "false"'),
      });
      expect(await condition('Programmed', 'Programmed')).toMatchObject({
        ...inForce,
        message: expect.stringContaining('generation 1, its last good form'),
      });
      await kube.request('DELETE', `${path}/default`);
      await waitFor(() => plain().then((status) => status === 200), { what: 'plaintext to be taken again' });
      expect(state().rejected).toEqual([]);
    });

    it('go on while the API server is away, which is shown, and follow it again when it is back', async () => {
      const { port, pod } = await startOrders('orders-3');
      const before = controlPlane().snapshot()?.version;
      const gone = new Date();
      await kube[Symbol.asyncDispose]();
      await waitFor(() => state().problem?.includes('pods: watch /api/v1/pods: connect ECONNREFUSED'), {
        what: 'the loss to be shown',
      });
      const { currentAt } = state();
      expect(currentAt?.getTime()).toBeGreaterThan(gone.getTime() - 300_000);
      expect(currentAt?.getTime()).toBeLessThan(Date.now());
      expect((await call()).body).toBe('orders-2 GET /42');
      expect(controlPlane().snapshot()?.version).toBe(before);
      expect(state().currentAt).toEqual(currentAt);

      await restart();
      await writeSlice(kube, namespace, 'orders', port, [pod]);
      await waitFor(() => state().problem === undefined, { what: 'all to be current', deadline: 60_000 });
      await answersFrom('orders-3');
      expect(state().currentAt?.getTime()).toBeGreaterThan(currentAt?.getTime() ?? 0);
      expect((await call()).caller).toMatch(/\/ns\/shop\/sa\/web$/);
    }, 120_000);
  },
);
