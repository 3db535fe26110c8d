import { generateKeyPairSync, randomUUID, sign } from 'node:crypto';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import {
  type Cluster,
  createKubernetesTokenAttestor,
  type KubernetesTokenAttestorOptions,
} from '../../../src/adapters/kubernetes/index.ts';
import type { Attestor } from '../../../src/domain/ports/index.ts';
import { type CitadelError, Secret, silentLog, systemClock } from '../../../src/kernel/index.ts';
import { hasPart, startKubeApi } from '../../parts/index.ts';
import { type Fixture, startFixture } from './fixture.ts';

const reviews = /tokenreviews$/;
const base64url = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');

describe.skipIf(!hasPart('kubeapi'))('the Kubernetes token attestor', () => {
  let fixture: Fixture;
  let namespace: string;
  const node = `node-${randomUUID()}`;

  beforeAll(async () => {
    fixture = await startFixture();
    namespace = await fixture.kube.createNamespace('attest');
    await fixture.kube.createServiceAccount(namespace, 'shop');
  });
  afterAll(async () => {
    await fixture?.[Symbol.asyncDispose]();
  });
  afterEach(() => {
    fixture.proxy.fault = undefined;
  });

  const attestorFor = (
    options: Partial<KubernetesTokenAttestorOptions> = {},
    cluster: Cluster = fixture.cluster,
  ): Attestor =>
    createKubernetesTokenAttestor({
      clusters: new Map([['test', cluster]]),
      defaultClusterId: 'test',
      audiences: ['istio-ca'],
      clock: systemClock,
      log: silentLog,
      ...options,
    });
  const attest = (attestor: Attestor, token: string, clusterId?: string) =>
    attestor.attest(
      { token: new Secret(token), ...(clusterId === undefined ? {} : { clusterId }) },
      AbortSignal.timeout(20_000),
    );
  const refusal = async (attested: Promise<unknown>): Promise<CitadelError> =>
    await attested.then(
      () => expect.fail('was let in'),
      (error: CitadelError) => error,
    );
  const podToken = async (name = `pod-${randomUUID()}`, audiences = ['istio-ca']) => {
    const boundPod = await fixture.kube.createPod(namespace, name, 'shop', node);
    return {
      token: await fixture.kube.createToken(namespace, 'shop', { audiences, boundPod }),
      pod: boundPod,
    };
  };

  it('names the service account, the pod and its node', async () => {
    const { token, pod } = await podToken();
    expect(await attest(attestorFor(), token)).toEqual({
      kind: 'kubernetes',
      proof: 'kubernetes-token',
      clusterId: 'test',
      namespace,
      serviceAccount: 'shop',
      pod: { name: pod.name, uid: pod.uid, nodeName: node },
    });
  });

  it('takes a token that is bound to no pod, without naming one', async () => {
    const token = await fixture.kube.createToken(namespace, 'shop', { audiences: ['istio-ca'] });
    const principal = await attest(attestorFor(), token);
    expect(principal).toMatchObject({ namespace, serviceAccount: 'shop' });
    expect(principal).not.toHaveProperty('pod');
  });

  it('refuses a token for another audience', async () => {
    for (const audiences of [['vault'], []]) {
      const { token } = await podToken(undefined, audiences);
      const error = await refusal(attest(attestorFor(), token));
      expect(error.code).toBe('Unauthenticated');
      expect(error.message).not.toContain(token);
    }
  });

  it('refuses a token that another key signed, with the claims of a good one', async () => {
    const { token } = await podToken();
    const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
    const [header, claims] = token.split('.');
    const signature = sign('sha256', Buffer.from(`${header}.${claims}`), privateKey).toString('base64url');
    const attestor = attestorFor();
    expect((await refusal(attest(attestor, `${header}.${claims}.${signature}`))).code).toBe(
      'Unauthenticated',
    );
    await expect(attest(attestor, token)).resolves.toMatchObject({ serviceAccount: 'shop' });
  });

  it('refuses a token of a foreign cluster, also when it names that cluster', async () => {
    const { token } = await podToken();
    expect((await refusal(attest(attestorFor(), token, 'elsewhere'))).code).toBe('Unauthenticated');
    await using foreign = await startKubeApi({ shared: false });
    const there = await foreign.createNamespace('foreign');
    const foreignToken = await foreign.createToken(there, 'default', { audiences: ['istio-ca'] });
    expect((await refusal(attest(attestorFor(), foreignToken))).code).toBe('Unauthenticated');
  });

  it('lets a token end with its pod at once, though the review is remembered', async () => {
    const { token, pod } = await podToken();
    const attestor = attestorFor();
    await attest(attestor, token);
    const before = fixture.proxy.count('POST', reviews);
    await fixture.kube.deletePod(namespace, pod.name);
    expect((await refusal(attest(attestor, token))).code).toBe('Unauthenticated');
    expect(fixture.proxy.count('POST', reviews)).toBe(before);
    expect((await refusal(attest(attestorFor(), token))).code).toBe('Unauthenticated');
  });

  it('refuses the token of a deleted pod when another one has its name', async () => {
    const { token, pod } = await podToken();
    const attestor = attestorFor();
    await attest(attestor, token);
    await fixture.kube.deletePod(namespace, pod.name);
    const again = await podToken(pod.name);
    expect((await refusal(attest(attestor, token))).code).toBe('Unauthenticated');
    await expect(attest(attestor, again.token)).resolves.toMatchObject({ pod: { uid: again.pod.uid } });
  });

  it('refuses the token of a pod that has ended', async () => {
    const { token, pod } = await podToken();
    const attestor = attestorFor();
    const status = `/api/v1/namespaces/${namespace}/pods/${pod.name}/status`;
    const contentType = 'application/merge-patch+json';
    await fixture.kube.request('PATCH', status, { status: { phase: 'Running' } }, { contentType });
    await attest(attestor, token);
    await fixture.kube.request('PATCH', status, { status: { phase: 'Succeeded' } }, { contentType });
    expect((await refusal(attest(attestor, token))).code).toBe('Unauthenticated');
  });

  it('lets a draining pod renew within its grace period, and not after it', async () => {
    const { token, pod } = await podToken();
    const path = `/api/v1/namespaces/${namespace}/pods/${pod.name}`;
    await fixture.kube.request('DELETE', path, { gracePeriodSeconds: 300 });
    await expect(attest(attestorFor(), token)).resolves.toMatchObject({ pod: { uid: pod.uid } });
    const later = { ...systemClock, now: () => new Date(Date.now() + 301_000) };
    expect((await refusal(attest(attestorFor({ clock: later }), token))).code).toBe('Unauthenticated');
  });

  it('refuses a pod that is on no node', async () => {
    const boundPod = await fixture.kube.createPod(namespace, `pod-${randomUUID()}`, 'shop');
    const token = await fixture.kube.createToken(namespace, 'shop', { audiences: ['istio-ca'], boundPod });
    expect((await refusal(attest(attestorFor(), token))).code).toBe('Unauthenticated');
  });

  it('keeps junk and what has expired from the API server', async () => {
    const attestor = attestorFor();
    const expired = base64url({ exp: Math.floor(Date.now() / 1000) - 120 });
    const header = base64url({ alg: 'RS256' });
    const junk = [
      'junk',
      'a.b.c',
      'e30.e30.e30',
      `${header}..x`,
      `${header}.${expired}.c2ln`,
      `${base64url({ alg: 'none' })}.${base64url({})}.c2ln`,
      `${header}.${base64url({ pad: 'x'.repeat(20_000) })}.c2ln`,
    ];
    const before = fixture.proxy.seen.length;
    for (const token of junk)
      expect((await refusal(attest(attestor, token))).code, token.slice(0, 40)).toBe('Unauthenticated');
    expect(fixture.proxy.seen.length).toBe(before);
  });

  it('remembers a review for the configured time, and no longer', async () => {
    let now = Date.now();
    const clock = { ...systemClock, now: () => new Date(now) };
    const attestor = attestorFor({ clock, cache: { ttl: 10_000 } });
    const { token } = await podToken();
    const before = fixture.proxy.count('POST', reviews);
    await attest(attestor, token);
    now += 9000;
    await attest(attestor, token);
    expect(fixture.proxy.count('POST', reviews)).toBe(before + 1);
    now += 1001;
    await attest(attestor, token);
    expect(fixture.proxy.count('POST', reviews)).toBe(before + 2);
  });

  it('has one review made for fifty calls at once', async () => {
    const attestor = attestorFor();
    const { token } = await podToken();
    const before = fixture.proxy.count('POST', reviews);
    const principals = await Promise.all(Array.from({ length: 50 }, () => attest(attestor, token)));
    expect(new Set(principals.map((each) => JSON.stringify(each))).size).toBe(1);
    expect(fixture.proxy.count('POST', reviews)).toBe(before + 1);
  });

  it('waits out throttling by its Retry-After within the deadline', async () => {
    const { token } = await podToken();
    let throttled = 0;
    fixture.proxy.fault = ({ path }) => {
      if (!reviews.test(path) || throttled === 2) return undefined;
      throttled += 1;
      return { kind: 'status', status: 429, retryAfter: '1' };
    };
    const started = Date.now();
    await expect(attest(attestorFor(), token)).resolves.toMatchObject({ serviceAccount: 'shop' });
    expect(throttled).toBe(2);
    expect(Date.now() - started).toBeGreaterThanOrEqual(1950);
  });

  it('answers Unavailable at once when throttling outlasts the deadline', async () => {
    const { token } = await podToken();
    fixture.proxy.fault = () => ({ kind: 'status', status: 429, retryAfter: '60' });
    const before = fixture.proxy.seen.length;
    const started = Date.now();
    expect((await refusal(attest(attestorFor(), token))).code).toBe('Unavailable');
    expect(Date.now() - started).toBeLessThan(3000);
    expect(fixture.proxy.seen.length).toBe(before + 1);
  });

  it.each([
    ['server errors', { kind: 'status', status: 503 }],
    ['dropped connections', { kind: 'drop' }],
    ['silence', { kind: 'hang' }],
    ['a review without a verdict', { kind: 'status', status: 201, body: {} }],
    ['a missing right', { kind: 'status', status: 403 }],
  ] as const)('lets nobody in on %s', async (_, fault) => {
    const cluster = await fixture.connect({ timeout: 1500 });
    const { token } = await podToken();
    const attestor = attestorFor({}, cluster);
    fixture.proxy.fault = () => fault;
    expect((await refusal(attest(attestor, token))).code).toBe('Unavailable');
    fixture.proxy.fault = undefined;
    await expect(attest(attestor, token)).resolves.toMatchObject({ serviceAccount: 'shop' });
  });

  it('lets nobody in when the pod cannot be looked at, remembered review or not', async () => {
    const cluster = await fixture.connect({ timeout: 1500 });
    const { token } = await podToken();
    const attestor = attestorFor({}, cluster);
    await attest(attestor, token);
    fixture.proxy.fault = ({ path }) =>
      path.includes('/pods/') ? { kind: 'status', status: 500 } : undefined;
    expect((await refusal(attest(attestor, token))).code).toBe('Unavailable');
  });

  it('lets nobody in when the API server is down', async () => {
    const { token } = await podToken();
    const file = await fixture.kubeconfigOfNobody();
    const down = await fixture.connect({ kubeconfigFile: file, timeout: 1500 });
    expect((await refusal(attest(attestorFor({}, down), token))).code).toBe('Unavailable');
  });

  it('stops for a caller that left, and not for the others of that token', async () => {
    const { token } = await podToken();
    const attestor = attestorFor();
    const leaving = new AbortController();
    fixture.proxy.fault = ({ path }) => {
      if (!reviews.test(path)) return undefined;
      fixture.proxy.fault = undefined;
      leaving.abort();
      return { kind: 'status', status: 503 };
    };
    const left = refusal(attestor.attest({ token: new Secret(token) }, leaving.signal));
    const stayed = attest(attestor, token);
    expect((await left).code).toBe('Unavailable');
    await expect(stayed).resolves.toMatchObject({ serviceAccount: 'shop' });
  });
});
