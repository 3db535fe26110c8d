import { afterAll, afterEach, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { field, items, text } from '../../../src/adapters/kubernetes/api/index.ts';
import { connectCluster } from '../../../src/adapters/kubernetes/index.ts';
import { policyCollections } from '../../../src/adapters/kubernetes/mesh/index.ts';
import { writePolicyStatuses } from '../../../src/adapters/kubernetes/policy-status/index.ts';
import { type PolicyRecord, readRecord } from '../../../src/adapters/kubernetes/policy-status/record.ts';
import { writeConditions } from '../../../src/adapters/kubernetes/policy-status/write.ts';
import type { PolicyStatus } from '../../../src/domain/mesh/index.ts';
import { describePolicyProblem, type Policy, readPolicy } from '../../../src/domain/policy/index.ts';
import { silentLog } from '../../../src/kernel/index.ts';
import { hasPart, waitFor } from '../../parts/index.ts';
import { type Fixture, readManifest, startFixture } from './fixture.ts';

const plural = 'peerauthentications';

const applied = { contentType: 'application/apply-patch+yaml' };

describe.skipIf(!hasPart('kubeapi'))('the status of policies', () => {
  let fixture: Fixture;
  let namespace: string;
  let running: {
    readonly stop: AbortController;
    readonly ended: Promise<void>;
    readonly close: () => void;
  }[] = [];
  let statuses: Map<string, Omit<PolicyStatus, 'policy'>>;
  const policies = new Map<string, Policy>();
  let progress: () => void = () => {};

  beforeAll(async () => {
    fixture = await startFixture();
    await fixture.kube.apply(await readManifest(`crds/${plural}.yaml`));
    namespace = await fixture.kube.createNamespace('status');
  });
  afterEach(async () => {
    fixture.proxy.fault = undefined;
    for (const { stop, ended, close } of running) {
      stop.abort();
      await ended;
      close();
    }
    running = [];
  });
  afterAll(async () => {
    await fixture?.[Symbol.asyncDispose]();
  });

  const path = (name: string) => `/apis/security.istio.io/v1/namespaces/${namespace}/${plural}/${name}`;
  const write = (name: string, annotations: object = {}, mode = 'STRICT') =>
    fixture.kube.request(
      'PATCH',
      `${path(name)}?fieldManager=kubectl&force=true`,
      {
        apiVersion: 'security.istio.io/v1',
        kind: 'PeerAuthentication',
        metadata: { name, namespace, annotations },
        spec: { mtls: { mode } },
      },
      applied,
    );
  const conditionsOf = async (name: string) =>
    items(await fixture.kube.request('GET', path(name)), 'status', 'conditions');
  const condition = async (name: string, type: string) =>
    (await conditionsOf(name)).find((each) => text(each, 'type') === type);
  const says = (name: string, type: string, reason: string) =>
    waitFor(
      async () => {
        const found = await condition(name, type);
        return text(found, 'reason') === reason ? found : undefined;
      },
      { what: `${type} of ${name} to be ${reason}`, deadline: 20_000 },
    );
  const writes = (name: string) => fixture.proxy.count('PATCH', new RegExp(`/${plural}/${name}/status$`));
  const set = (name: string, status: Partial<PolicyStatus>) => {
    statuses.set(name, { workloads: 1, current: 0, pending: 0, refusals: [], shadowed: [], ...status });
    progress();
  };

  /** A writer with a control plane that takes each policy at once, and of whose proxies the test tells. */
  const start = async () => {
    statuses = new Map();
    policies.clear();
    const stop = new AbortController();
    const listeners = new Set<() => void>();
    progress = () => {
      for (const listener of listeners) listener();
    };
    const kubeconfigFile = await fixture.kubeconfigFor(fixture.serverToken);
    const cluster = await connectCluster({ clusterId: 'test', kubeconfigFile, log: silentLog });
    const ended = writePolicyStatuses(
      {
        cluster,
        readPolicy(object) {
          const { policy, problems } = readPolicy(object, { source: 'kubernetes/test' });
          if (policy?.meta.namespace === namespace) {
            policies.set(policy.meta.name, policy);
            progress();
          }
          return { policy, problems: problems.map(describePolicyProblem) };
        },
        statuses: () =>
          [...policies].map(([name, policy]) => ({
            policy,
            ...(statuses.get(name) ?? { workloads: 0, current: 0, pending: 0, refusals: [], shadowed: [] }),
          })),
        onProgress(listener) {
          listeners.add(listener);
          return () => listeners.delete(listener);
        },
      },
      stop.signal,
    );
    running.push({ stop, ended, close: () => cluster.close() });
  };

  it('says of a new policy that it counts, and for whom; then how far it has come', async () => {
    await start();
    await write('new');
    progress();
    expect(await says('new', 'Accepted', 'Accepted')).toMatchObject({
      status: 'True',
      observedGeneration: 1,
      lastTransitionTime: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/),
    });
    expect(await condition('new', 'Programmed')).toMatchObject({ status: 'Unknown', reason: 'NoWorkloads' });
    set('new', { workloads: 2, current: 3 });
    expect(await says('new', 'Programmed', 'Programmed')).toMatchObject({
      status: 'True',
      message: '3 of 3 proxies accepted it',
    });
    set('new', {
      workloads: 2,
      current: 2,
      refusals: [{ workload: 'test/shop/web', error: 'no such filter' }],
    });
    expect(await says('new', 'Programmed', 'Refused')).toMatchObject({
      status: 'False',
      message: '2 of 3 proxies accepted it; test/shop/web refuses what it was sent: no such filter',
    });
  });

  it('says what is wrong with a broken one, and that its last good form is in force', async () => {
    await start();
    await write('broken');
    set('broken', { current: 1 });
    await says('broken', 'Programmed', 'Programmed');
    await write('broken', { 'istio.io/dry-run': 'perhaps' }, 'PERMISSIVE');
    expect(await says('broken', 'Accepted', 'Invalid')).toMatchObject({
      status: 'False',
      observedGeneration: 2,
      message: expect.stringMatching(
        /^metadata\.annotations.*must be "true" or "false".*; write "true" in quotes/,
      ),
    });
    expect(await condition('broken', 'Programmed')).toMatchObject({
      status: 'True',
      observedGeneration: 1,
      message: 'generation 1, its last good form: 1 of 1 proxy accepted it',
    });
    await write('broken', {}, 'PERMISSIVE');
    expect(await says('broken', 'Accepted', 'Accepted')).toMatchObject({ observedGeneration: 2 });
  });

  it('writes what changed and no more: its own writes come back and end there', async () => {
    await start();
    await write('calm');
    set('calm', { current: 1 });
    await says('calm', 'Programmed', 'Programmed');
    const before = writes('calm');
    expect(before).toBeLessThanOrEqual(2);
    const seen = fixture.proxy.seen.length;
    for (let round = 0; round < 20; round += 1) progress();
    // Another object's way is one through the same queue: what is due of the first has been looked at by then.
    await write('marker');
    set('marker', { current: 1 });
    await says('marker', 'Programmed', 'Programmed');
    expect(writes('calm')).toBe(before);
    expect(fixture.proxy.seen.length - seen).toBeLessThan(10);
    // A restart writes nothing that is there, and a proxy that has not come back is waited for.
    running[0]?.stop.abort();
    await running[0]?.ended;
    await start();
    await write('marker-2');
    set('marker-2', { current: 1 });
    await says('marker-2', 'Programmed', 'Programmed');
    expect(writes('calm')).toBe(before);
    expect(await condition('calm', 'Programmed')).toMatchObject({ status: 'True' });
  });

  it('leaves the conditions of others, also when the object changes meanwhile, and keeps the time of a transition', async () => {
    await start();
    await write('shared');
    set('shared', { current: 1 });
    const first = await says('shared', 'Programmed', 'Programmed');
    const foreign = {
      type: 'example.org/Reviewed',
      status: 'True',
      reason: 'Yes',
      message: '',
      lastTransitionTime: '2026-01-01T00:00:00Z',
    };
    const status = {
      apiVersion: 'security.istio.io/v1',
      kind: 'PeerAuthentication',
      status: { conditions: [foreign] },
    };
    await fixture.kube.request('PATCH', `${path('shared')}/status?fieldManager=other`, status, applied);
    await write('shared', {}, 'PERMISSIVE');
    await waitFor(async () => field(await condition('shared', 'Programmed'), 'observedGeneration') === 2, {
      what: 'the second generation',
    });
    expect(await condition('shared', 'example.org/Reviewed')).toMatchObject({ status: 'True' });
    expect(text(await condition('shared', 'Programmed'), 'lastTransitionTime')).toBe(
      text(first, 'lastTransitionTime'),
    );
  });

  it('leaves them too where a definition takes a list of conditions for one value', async () => {
    const [group, what] = ['whole.citadel.dev', 'wholes'];
    const anything = { type: 'object', 'x-kubernetes-preserve-unknown-fields': true };
    const conditions = { type: 'array', items: anything };
    await fixture.kube.apply(
      JSON.stringify({
        apiVersion: 'apiextensions.k8s.io/v1',
        kind: 'CustomResourceDefinition',
        metadata: { name: `${what}.${group}` },
        spec: {
          group,
          names: { plural: what, kind: 'Whole' },
          scope: 'Namespaced',
          versions: [
            {
              name: 'v1',
              served: true,
              storage: true,
              subresources: { status: {} },
              schema: {
                openAPIV3Schema: {
                  type: 'object',
                  properties: { status: { type: 'object', properties: { conditions } } },
                },
              },
            },
          ],
        },
      }),
    );
    const definition = `/apis/apiextensions.k8s.io/v1/customresourcedefinitions/${what}.${group}`;
    onTestFinished(async () => void (await fixture.kube.request('DELETE', definition)));
    const whole = `/apis/${group}/v1/namespaces/${namespace}/${what}/one`;
    const object = { apiVersion: `${group}/v1`, kind: 'Whole', metadata: { name: 'one', namespace } };
    await waitFor(async () => await fixture.kube.apply(JSON.stringify(object)), { what: 'the definition' });
    const foreign = { type: 'example.org/Reviewed', status: 'True' };
    await fixture.kube.request(
      'PATCH',
      `${whole}/status?fieldManager=other`,
      { ...object, metadata: {}, status: { conditions: [foreign] } },
      applied,
    );
    const kubeconfigFile = await fixture.kubeconfigFor(fixture.kube.adminToken);
    const { api } = await fixture.connect({ kubeconfigFile });
    const collection = policyCollections.find((each) => each.what === plural) ?? expect.fail('no such kind');
    for (const reason of ['First', 'Second']) {
      const stored = await fixture.kube.request('GET', whole);
      const record = {
        ...readRecord(stored, collection, () => ({ problems: [] })),
        apiVersion: object.apiVersion,
      };
      const own = { type: 'Accepted', status: 'True', reason, message: 'm', observedGeneration: 1 } as const;
      await writeConditions(
        api,
        { record, plural: what, conditions: [own], now: new Date() },
        AbortSignal.timeout(5_000),
      );
      expect(items(await fixture.kube.request('GET', whole), 'status', 'conditions')).toEqual([
        foreign,
        expect.objectContaining(own),
      ]);
    }
  });

  it('tries again when the API server fails, and not where an object has gone', async () => {
    await start();
    let failures = 6;
    fixture.proxy.fault = ({ path: asked }) =>
      asked.endsWith('/again/status') && failures-- > 0 ? { kind: 'status', status: 503 } : undefined;
    await write('again');
    set('again', { current: 1 });
    await says('again', 'Programmed', 'Programmed');
    fixture.proxy.fault = ({ path: asked }) =>
      asked.endsWith('/gone/status') ? { kind: 'status', status: 404 } : undefined;
    await write('gone');
    set('gone', { current: 1 });
    await waitFor(() => writes('gone') > 0, { what: 'a write' });
    await write('marker-3');
    set('marker-3', { current: 1 });
    await says('marker-3', 'Programmed', 'Programmed');
    expect(writes('gone')).toBe(1);
  });

  it('is never written to another object that has taken the name', async () => {
    await write('taken');
    const object = await fixture.kube.request('GET', path('taken'));
    const collection = policyCollections.find(({ what }) => what === plural) ?? expect.fail('no such kind');
    const record = readRecord(object, collection, () => ({ problems: [] }));
    const conditions = [
      { type: 'Accepted', status: 'True', reason: 'r', message: 'm', observedGeneration: 1 },
    ] as const;
    const send = (to: PolicyRecord) =>
      writeConditions(
        fixture.cluster.api,
        { record: to, plural, conditions, now: new Date() },
        AbortSignal.timeout(5_000),
      );
    await fixture.kube.request('DELETE', path('taken'));
    expect(await send(record)).toBe('gone');
    await write('taken');
    expect(await send(record)).toBe('changed');
    expect(await conditionsOf('taken')).toEqual([]);
    const next = readRecord(await fixture.kube.request('GET', path('taken')), collection, () => ({
      problems: [],
    }));
    expect(await send(next)).toMatchObject({ stored: conditions });
  });

  it('is written to hundreds at a bounded pace, all of them', async () => {
    await start();
    const names = Array.from({ length: 60 }, (_, index) => `many-${index}`);
    for (const name of names) await write(name);
    const started = performance.now();
    progress();
    for (const name of names) await says(name, 'Accepted', 'Accepted');
    const all = names.reduce((sum, name) => sum + writes(name), 0);
    expect(all).toBe(60);
    expect(performance.now() - started).toBeLessThan(20_000);
  });
});
