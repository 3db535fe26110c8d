import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createWorkloadDirectory } from '../../../src/adapters/kubernetes/index.ts';
import type { WorkloadDirectory } from '../../../src/domain/ports/index.ts';
import { hasPart } from '../../parts/index.ts';
import { type Fixture, startFixture } from './fixture.ts';

describe.skipIf(!hasPart('kubeapi'))('the Kubernetes workload directory', () => {
  const node = `node-${randomUUID()}`;
  const signal = new AbortController().signal;
  let fixture: Fixture;
  let directory: WorkloadDirectory;
  let namespace: string;

  beforeAll(async () => {
    fixture = await startFixture();
    directory = createWorkloadDirectory(fixture.cluster);
    namespace = await fixture.kube.createNamespace('directory');
    await fixture.kube.createServiceAccount(namespace, 'shop');
  });
  afterAll(async () => {
    await fixture?.[Symbol.asyncDispose]();
  });

  it('gives a pod as it is, and nothing for one that is not there', async () => {
    const { uid } = await fixture.kube.createPod(namespace, 'one', 'shop', node);
    expect(await directory.getPod(namespace, 'one', signal)).toEqual({
      namespace,
      name: 'one',
      uid,
      serviceAccount: 'shop',
      nodeName: node,
      phase: 'Pending',
    });
    expect(await directory.getPod(namespace, 'two', signal)).toBeUndefined();
    expect(await directory.getPod('no-such-namespace', 'one', signal)).toBeUndefined();
  });

  it('asks for nothing that is not a name', async () => {
    const before = fixture.proxy.seen.length;
    for (const name of ['', '../secrets/x', 'a/b', 'A', 'a%2fb', 'a?x=1', 'a\0', 'x'.repeat(254)])
      expect(await directory.getPod(namespace, name, signal), name).toBeUndefined();
    for (const nodeName of ['', 'n,metadata.name=one', 'n!=m'])
      expect(await directory.hasPodOnNode({ nodeName, namespace, serviceAccount: 'shop' }, signal)).toBe(
        false,
      );
    expect(fixture.proxy.seen.length).toBe(before);
  });

  it('finds a service account on a node only while a pod of it is there', async () => {
    const there = { nodeName: node, namespace, serviceAccount: 'shop' };
    await fixture.kube.createPod(namespace, 'here', 'shop', node);
    const other = await fixture.kube.createNamespace('directory');
    expect(await directory.hasPodOnNode(there, signal)).toBe(true);
    expect(await directory.hasPodOnNode({ ...there, nodeName: `${node}-2` }, signal)).toBe(false);
    expect(await directory.hasPodOnNode({ ...there, serviceAccount: 'default' }, signal)).toBe(false);
    expect(await directory.hasPodOnNode({ ...there, namespace: other }, signal)).toBe(false);
    const pods = `/api/v1/namespaces/${namespace}/pods`;
    await fixture.kube.request('DELETE', pods, { gracePeriodSeconds: 0 });
    expect(await directory.hasPodOnNode(there, signal)).toBe(false);
  });

  it('does not count a pod that has ended', async () => {
    const account = 'job';
    await fixture.kube.createServiceAccount(namespace, account);
    await fixture.kube.createPod(namespace, 'job', account, node);
    const there = { nodeName: node, namespace, serviceAccount: account };
    expect(await directory.hasPodOnNode(there, signal)).toBe(true);
    await fixture.kube.request(
      'PATCH',
      `/api/v1/namespaces/${namespace}/pods/job/status`,
      { status: { phase: 'Failed' } },
      { contentType: 'application/merge-patch+json' },
    );
    expect(await directory.hasPodOnNode(there, signal)).toBe(false);
  });

  it('says Unavailable when it cannot ask', async () => {
    const cluster = await fixture.connect({
      kubeconfigFile: await fixture.kubeconfigOfNobody(),
      timeout: 800,
    });
    const away = createWorkloadDirectory(cluster);
    await expect(away.getPod(namespace, 'one', signal)).rejects.toMatchObject({ code: 'Unavailable' });
    const query = { nodeName: node, namespace, serviceAccount: 'shop' };
    await expect(away.hasPodOnNode(query, signal)).rejects.toMatchObject({ code: 'Unavailable' });
    await expect(cluster.ping(signal)).rejects.toMatchObject({ code: 'Unavailable' });
    await expect(fixture.cluster.ping(signal)).resolves.toBeUndefined();
  });
});
