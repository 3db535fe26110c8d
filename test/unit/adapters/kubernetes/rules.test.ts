import { describe, expect, it } from 'vitest';
import { retryAfter } from '../../../../src/adapters/kubernetes/api/retry-after.ts';
import { mayRun, readPod } from '../../../../src/adapters/kubernetes/pod.ts';
import { clusterTrustBundleName } from '../../../../src/adapters/kubernetes/publish/index.ts';
import { podMismatch } from '../../../../src/adapters/kubernetes/token/attestor.ts';

const now = new Date('2026-01-01T00:00:00Z');
const pod = {
  namespace: 'shop',
  name: 'p',
  uid: 'u',
  serviceAccount: 'web',
  nodeName: 'n',
  phase: 'Running',
};

describe('retryAfter', () => {
  it.each([
    [undefined, 0],
    ['0', 0],
    ['2', 2000],
    ['999999', 3_600_000],
    ['Thu, 01 Jan 2026 00:00:05 GMT', 5000],
    ['Wed, 31 Dec 2025 00:00:00 GMT', 0],
    ['-1', 0],
    ['soon', 0],
  ])('reads %j as %d ms', (header, milliseconds) => {
    expect(retryAfter(header, now)).toBe(milliseconds);
  });
});

describe('a pod', () => {
  it('may run until it ended or its grace is over', () => {
    expect(mayRun(pod, now)).toBe(true);
    expect(mayRun({ ...pod, phase: 'Pending' }, now)).toBe(true);
    expect(mayRun({ ...pod, phase: 'Unknown' }, now)).toBe(true);
    expect(mayRun({ ...pod, phase: 'Succeeded' }, now)).toBe(false);
    expect(mayRun({ ...pod, phase: 'Failed' }, now)).toBe(false);
    expect(mayRun({ ...pod, deletionDeadline: now }, now)).toBe(true);
    expect(mayRun({ ...pod, deletionDeadline: new Date(now.getTime() - 1) }, now)).toBe(false);
    expect(mayRun({ ...pod, deletionDeadline: new Date('junk') }, now)).toBe(false);
  });

  it('is not read from an object that lacks what it must have', () => {
    const metadata = { namespace: 'shop', name: 'p', uid: 'u' };
    expect(readPod({ metadata, spec: { serviceAccountName: 'web' } })).toMatchObject({ nodeName: '' });
    expect(readPod({ metadata, spec: {} })).toBeUndefined();
    expect(
      readPod({ metadata: { ...metadata, uid: 1 }, spec: { serviceAccountName: 'web' } }),
    ).toBeUndefined();
    expect(readPod(undefined)).toBeUndefined();
  });

  it('is the one that the token names, in everything', () => {
    const bound = { name: 'p', uid: 'u' };
    const owner = { namespace: 'shop', serviceAccount: 'web', pod: bound };
    expect(podMismatch(owner, bound, pod, now)).toBeUndefined();
    expect(podMismatch(owner, { ...bound, nodeName: 'n' }, pod, now)).toBeUndefined();
    expect(podMismatch(owner, bound, undefined, now)).toContain('gone');
    expect(podMismatch(owner, bound, { ...pod, uid: 'v' }, now)).toContain('replaced');
    expect(podMismatch(owner, bound, { ...pod, serviceAccount: 'x' }, now)).toContain('service account');
    expect(podMismatch(owner, bound, { ...pod, phase: 'Failed' }, now)).toContain('ended');
    expect(podMismatch(owner, bound, { ...pod, nodeName: '' }, now)).toContain('no node');
    expect(podMismatch(owner, { ...bound, nodeName: 'm' }, pod, now)).toContain('another node');
  });
});

describe('clusterTrustBundleName', () => {
  it('is the signer with colons, then the free part', () => {
    expect(clusterTrustBundleName('citadel.dev/mesh', 'bundle')).toBe('citadel.dev:mesh:bundle');
  });
});
