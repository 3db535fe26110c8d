import { randomUUID } from 'node:crypto';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { connectCluster, createWorkloadDirectory } from '../../../src/adapters/kubernetes/index.ts';
import { silentLog } from '../../../src/kernel/index.ts';
import { hasPart, type TemporaryDirectory, temporaryDirectory } from '../../parts/index.ts';
import { type Fixture, makeBundle, startFixture } from './fixture.ts';

describe.skipIf(!hasPart('kubeapi'))('connecting to a cluster', () => {
  const signal = new AbortController().signal;
  let fixture: Fixture;
  let directory: TemporaryDirectory;
  let namespace: string;

  beforeAll(async () => {
    fixture = await startFixture();
    directory = await temporaryDirectory('cluster');
    namespace = await fixture.kube.createNamespace('cluster');
    await fixture.kube.createPod(namespace, 'one');
  });
  afterAll(async () => {
    await directory?.[Symbol.asyncDispose]();
    await fixture?.[Symbol.asyncDispose]();
  });

  /** The mounts and the environment of a pod. */
  const pod = async () => {
    const mounted = directory.join(randomUUID());
    await mkdir(mounted);
    await writeFile(`${mounted}/token`, fixture.serverToken);
    await writeFile(`${mounted}/ca.crt`, fixture.kube.caPem);
    const { hostname, port } = new URL(fixture.kube.server);
    const environment = { KUBERNETES_SERVICE_HOST: hostname, KUBERNETES_SERVICE_PORT: port };
    return { serviceAccountDirectory: mounted, environment };
  };

  it('works within a pod, and takes up a token that was replaced', async () => {
    const inCluster = await pod();
    const cluster = await connectCluster({ clusterId: 'own', inCluster, timeout: 2000, log: silentLog });
    const pods = createWorkloadDirectory(cluster);
    await expect(pods.getPod(namespace, 'one', signal)).resolves.toMatchObject({ name: 'one' });
    await writeFile(`${inCluster.serviceAccountDirectory}/token`, 'replaced.by.junk');
    await expect(pods.getPod(namespace, 'one', signal)).rejects.toMatchObject({ code: 'Unavailable' });
    await writeFile(`${inCluster.serviceAccountDirectory}/token`, fixture.serverToken);
    await expect(pods.getPod(namespace, 'one', signal)).resolves.toMatchObject({ name: 'one' });
    cluster.close();
  });

  it('trusts no API server but one of the given CA', async () => {
    const inCluster = await pod();
    const proxyConfig = await fixture.kubeconfigFor(fixture.serverToken);
    const viaProxy = await fixture.connect({ kubeconfigFile: proxyConfig });
    await expect(viaProxy.ping(signal)).resolves.toBeUndefined();
    const other = await makeBundle('another CA');
    await writeFile(`${inCluster.serviceAccountDirectory}/ca.crt`, other.pem);
    const cluster = await connectCluster({ clusterId: 'own', inCluster, timeout: 1000, log: silentLog });
    await expect(cluster.ping(signal)).rejects.toMatchObject({ code: 'Unavailable' });
    cluster.close();
  });

  it('says what is missing', async () => {
    const connect = (options: object) => connectCluster({ clusterId: 'own', log: silentLog, ...options });
    const precondition = { code: 'FailedPrecondition' };
    await expect(connect({ inCluster: { environment: {} } })).rejects.toMatchObject(precondition);
    const inCluster = await pod();
    await rm(`${inCluster.serviceAccountDirectory}/token`);
    await expect(connect({ inCluster })).rejects.toMatchObject(precondition);
    await expect(connect({ kubeconfigFile: directory.join('none') })).rejects.toMatchObject(precondition);
    const broken = directory.join('broken');
    await writeFile(broken, 'clusters: [');
    await expect(connect({ kubeconfigFile: broken })).rejects.toMatchObject(precondition);
    const kubeconfigFile = await fixture.kubeconfigFor('token');
    await expect(connect({ kubeconfigFile, context: 'other' })).rejects.toMatchObject(precondition);
  });

  it('keeps its connection from one request to the next', async () => {
    const cluster = await fixture.connect();
    const before = fixture.proxy.connections;
    for (let i = 0; i < 10; i += 1) await cluster.ping(signal);
    expect(fixture.proxy.connections - before).toBe(1);
  });
});
