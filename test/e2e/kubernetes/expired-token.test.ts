import { randomUUID } from 'node:crypto';
import { status } from '@grpc/grpc-js';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createKubernetesTokenAttestor } from '../../../src/adapters/kubernetes/index.ts';
import { Secret, silentLog, systemClock } from '../../../src/kernel/index.ts';
import { parseCertificate } from '../../../src/pki/index.ts';
import { hasPart } from '../../parts/index.ts';
import { caught } from '../../support/observe.ts';
import { type KubernetesServer, startKubernetesServer } from './server.ts';

const hour = 3_600_000;
const reviews = /tokenreviews$/;

/** Tokens of the API server's own key and claims: the API gives none that ends before 10 minutes have passed. */
describe.skipIf(!hasPart('kubeapi'))('a Kubernetes token that has expired', () => {
  let kubernetes: KubernetesServer;
  beforeAll(async () => {
    kubernetes = await startKubernetesServer();
  });
  afterAll(() => kubernetes?.[Symbol.asyncDispose]());

  /** Of a pod that runs; sound but for the times. @param end milliseconds from now */
  async function tokenThatEnds(end: number): Promise<string> {
    const { token } = await kubernetes.pod('web', `node-${randomUUID()}`);
    const exp = Math.floor((Date.now() + end) / 1000);
    return kubernetes.fixture.kube.resignToken(token, { iat: exp - 600, nbf: exp - 600, exp });
  }

  const asked = () => kubernetes.fixture.proxy.count('POST', reviews);
  const newest = async () =>
    (await kubernetes.server.app.store.audit.find({ action: 'certificate.issue', limit: 1 })).items[0];

  it('would be taken if it had not', async () => {
    const [leaf = ''] = await kubernetes.issue(await tokenThatEnds(300_000));
    expect(parseCertificate(leaf).uris).toEqual([`spiffe://example.org/ns/${kubernetes.namespace}/sa/web`]);
  });

  it('is refused without asking the API server, audited, and not told why', async () => {
    const token = await tokenThatEnds(-hour);
    const before = asked();
    const error = await caught(kubernetes.issue(token));
    expect(error?.code).toBe(status.UNAUTHENTICATED);
    expect(asked()).toBe(before);
    const record = await newest();
    expect(record).toMatchObject({
      outcome: 'refused',
      subject: 'unauthenticated',
      proof: 'none',
      target: '',
      details: { code: 'Unauthenticated', why: 'expired' },
    });
    // The same words as for a token of a cluster that is not known here: a caller cannot tell one from the other.
    const junk = await caught(kubernetes.issue('a.b.c'));
    expect(error?.details).toBe(junk?.details);
    for (const part of token.split('.')) {
      expect(JSON.stringify(record)).not.toContain(part);
      expect(`${error?.message} ${JSON.stringify(error?.metadata)}`).not.toContain(part);
    }
  });

  it('is refused by the API server’s word where our clock is slow', async () => {
    const { fixture } = kubernetes;
    const attestor = createKubernetesTokenAttestor({
      clusters: new Map([['test', fixture.cluster]]),
      defaultClusterId: 'test',
      audiences: ['istio-ca'],
      clock: { ...systemClock, now: () => new Date(Date.now() - 2 * hour) },
      log: silentLog,
    });
    const token = await tokenThatEnds(-hour);
    const before = asked();
    const error: unknown = await attestor
      .attest({ token: new Secret(token) }, AbortSignal.timeout(20_000))
      .catch((cause: unknown) => cause);
    expect(error).toMatchObject({
      code: 'Unauthenticated',
      message: expect.not.stringMatching(/expired/),
      details: expect.stringMatching(/not authenticated: .*expired/),
    });
    expect(asked()).toBe(before + 1);
  });
});
