import { randomUUID } from 'node:crypto';
import { status } from '@grpc/grpc-js';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseCertificate } from '../../../src/pki/index.ts';
import { hasPart } from '../../parts/index.ts';
import { caught } from '../../support/observe.ts';
import { type KubernetesServer, startKubernetesServer } from './server.ts';

describe.skipIf(!hasPart('kubeapi'))('the audit record of a node’s caller', () => {
  const [node, elsewhere] = [`node-${randomUUID()}`, `node-${randomUUID()}`];
  let kubernetes: KubernetesServer;
  let web: string;
  beforeAll(async () => {
    kubernetes = await startKubernetesServer();
    await kubernetes.pod('web', node);
    web = `spiffe://example.org/ns/${kubernetes.namespace}/sa/web`;
  });
  afterAll(() => kubernetes?.[Symbol.asyncDispose]());

  const recorded = async (subject: string) =>
    (await kubernetes.server.app.store.audit.find({ subject, limit: 10 })).items;

  /** A caller that nobody else is, so that its records are its own. */
  async function caller(account: string, on: string) {
    const { token, uid } = await kubernetes.pod(account, on);
    return { token, subject: `kubernetes:Kubernetes/${kubernetes.namespace}/${account}/${uid}` };
  }

  it('says for whom a certificate was issued, and to whom', async () => {
    const { token, subject } = await caller('ztunnel', node);
    const [leaf = ''] = await kubernetes.issue(token, web);
    expect(parseCertificate(leaf).uris).toEqual([web]);
    expect(await recorded(subject)).toEqual([
      expect.objectContaining({ outcome: 'allowed', proof: 'kubernetes-token', target: web }),
    ]);
  });

  it.each<[string, string, () => string, string, () => RegExp]>([
    [
      'a pod on another node',
      'ztunnel',
      () => elsewhere,
      'web',
      () => new RegExp(`no such pod on node ${elsewhere}`),
    ],
    [
      'a pod that is nowhere',
      'ztunnel',
      () => node,
      'nobody',
      () => new RegExp(`no such pod on node ${node}`),
    ],
    [
      'what is not its to ask, not being listed',
      'web',
      () => node,
      'ztunnel',
      () => /\/web is not an allowed node caller/,
    ],
    [
      'another trust domain',
      'ztunnel',
      () => node,
      'spiffe://other.example/ns/a/sa/web',
      () => /another trust domain/,
    ],
    [
      'no workload',
      'ztunnel',
      () => node,
      'spiffe://example.org/citadel/operator/ada',
      () => /not of the form/,
    ],
  ])('says that one asked for %s, and why it was refused', async (_name, account, on, asked, why) => {
    const { token, subject } = await caller(account, on());
    const identity = asked.includes('://')
      ? asked
      : `spiffe://example.org/ns/${kubernetes.namespace}/sa/${asked}`;
    const error = await caught(kubernetes.issue(token, identity));
    // One answer for all of them: who asks does not learn what exists.
    expect(error).toMatchObject({
      code: status.PERMISSION_DENIED,
      details: 'this caller may not ask for that identity',
    });
    expect(await recorded(subject)).toEqual([
      expect.objectContaining({
        action: 'certificate.issue',
        outcome: 'refused',
        proof: 'kubernetes-token',
        target: identity,
        details: { code: 'PermissionDenied', why: expect.stringMatching(why()) },
      }),
    ]);
  });

  it('says so of a token without a pod, and of what is no SPIFFE ID', async () => {
    const { fixture, namespace } = kubernetes;
    const issue = (bearer: string, impersonated: string) => kubernetes.issue(bearer, impersonated);
    const token = await fixture.kube.createToken(namespace, 'ztunnel', { audiences: ['istio-ca'] });
    expect(await caught(issue(token, web))).toMatchObject({ code: status.PERMISSION_DENIED });
    expect(await caught(issue(token, 'web'))).toMatchObject({ code: status.INVALID_ARGUMENT });
    expect(await recorded(`kubernetes:Kubernetes/${namespace}/ztunnel`)).toEqual([
      expect.objectContaining({ outcome: 'refused', target: '', details: { code: 'InvalidArgument' } }),
      expect.objectContaining({
        outcome: 'refused',
        target: web,
        details: { code: 'PermissionDenied', why: expect.stringContaining('not bound to a pod') },
      }),
    ]);
  });
});
