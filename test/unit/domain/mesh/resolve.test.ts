import { expect, test } from 'vitest';
import { resolveWorkload } from '../../../../src/domain/mesh/resolve.ts';
import { composeSnapshot } from '../../../../src/domain/mesh/snapshot.ts';
import { connected, content, settings, workload } from './samples.ts';

const pod = workload('pod', { serviceAccount: 'web', proxyKey: 'pod:Kubernetes/uid-1' });
const machine = workload('machine', { serviceAccount: 'web' });
const other = workload('other');
const resolve = (workloads: Parameters<typeof content>[0], proxy: Parameters<typeof connected>[0] = {}) =>
  resolveWorkload(composeSnapshot(settings, [content(workloads)]), connected(proxy))?.name;

test('a certificate that was issued to an instance speaks for that instance', () => {
  expect(resolve([pod, machine, other], { proxyKey: 'pod:Kubernetes/uid-1' })).toBe('pod');
});

test('another pod of the same service account cannot speak for it, whatever its node says', () => {
  const proxy = { proxyKey: 'pod:Kubernetes/uid-2', nodeMetadata: { WORKLOAD_NAME: 'pod' } };
  expect(resolve([pod, other], proxy)).toBeUndefined();
});

test('without an instance the identity decides', () => {
  expect(resolve([machine, other])).toBe('machine');
  expect(resolve([other])).toBeUndefined();
});

test('among several of one identity the node’s name chooses, and without one nothing is guessed', () => {
  const second = workload('second', { serviceAccount: 'web' });
  expect(resolve([machine, second], { nodeMetadata: { WORKLOAD_NAME: 'second' } })).toBe('second');
  expect(resolve([machine, second])).toBeUndefined();
});

test('a node’s name cannot widen: another identity’s workload is out of reach', () => {
  expect(resolve([machine, other], { nodeMetadata: { WORKLOAD_NAME: 'other' } })).toBeUndefined();
  expect(resolve([machine], { spiffeId: 'spiffe://elsewhere.org/ns/shop/sa/web' })).toBeUndefined();
});

test('a workload without a proxy is nobody’s', () => {
  expect(resolve([workload('bare', { serviceAccount: 'web', proxy: 'none' })])).toBeUndefined();
});
