import { SpiffeId, TrustDomain } from '@citadel/spiffe';
import { describe, expect, it } from 'vitest';
import {
  authorizeIdentity,
  type IdentityPolicy,
  type KubernetesPrincipal,
} from '../../../../src/domain/identity/index.ts';

const policy: IdentityPolicy = {
  trustDomain: TrustDomain.parse('example.org'),
  nodeCallers: new Set(['istio-system/ztunnel']),
};
const web: KubernetesPrincipal = {
  kind: 'kubernetes',
  proof: 'kubernetes-token',
  clusterId: 'c1',
  namespace: 'shop',
  serviceAccount: 'web',
  pod: { name: 'web-1', uid: 'u1', nodeName: 'node-1' },
};
const ztunnel: KubernetesPrincipal = { ...web, namespace: 'istio-system', serviceAccount: 'ztunnel' };
const { pod: _, ...ztunnelWithoutPod } = ztunnel;
const id = (text: string) => SpiffeId.parse(text);

describe('authorizeIdentity', () => {
  it('gives a caller its own identity', () => {
    expect(authorizeIdentity({ principal: web }, policy).spiffeId.toString()).toBe(
      'spiffe://example.org/ns/shop/sa/web',
    );
  });

  it('lets a caller ask for its own identity by name', () => {
    const own = id('spiffe://example.org/ns/shop/sa/web');
    expect(authorizeIdentity({ principal: web, impersonated: own }, policy)).toEqual({ spiffeId: own });
  });

  it('lets a node caller ask for a pod, provided that it runs on the same node', () => {
    const impersonated = id('spiffe://example.org/ns/shop/sa/web');
    expect(authorizeIdentity({ principal: ztunnel, impersonated }, policy)).toEqual({
      spiffeId: impersonated,
      provided: { nodeName: 'node-1', namespace: 'shop', serviceAccount: 'web' },
    });
  });

  it.each([
    ['one who is no node caller', web, 'spiffe://example.org/ns/shop/sa/db'],
    ['a node caller without a pod', ztunnelWithoutPod, 'spiffe://example.org/ns/shop/sa/web'],
    ['a node caller beyond its trust domain', ztunnel, 'spiffe://other.org/ns/shop/sa/web'],
    ['a node caller that asks for the trust domain itself', ztunnel, 'spiffe://example.org'],
    ['a node caller that asks for the server', ztunnel, 'spiffe://example.org/citadel/server/1'],
    ['a node caller that asks for more path', ztunnel, 'spiffe://example.org/ns/shop/sa/web/admin'],
    [
      'a development principal',
      {
        kind: 'development',
        proof: 'development-token',
        namespace: 'istio-system',
        serviceAccount: 'ztunnel',
        instance: 'x',
      } as const,
      'spiffe://example.org/ns/shop/sa/web',
    ],
    [
      'an SVID of another trust domain, also for itself',
      {
        kind: 'svid',
        proof: 'client-certificate',
        spiffeId: id('spiffe://other.org/ns/shop/sa/web'),
        serial: '01',
        proxyKey: 'k',
      } as const,
      'spiffe://other.org/ns/shop/sa/web',
    ],
  ])('refuses %s, in the same words', (_name, principal, impersonated) => {
    expect(() => authorizeIdentity({ principal, impersonated: id(impersonated) }, policy)).toThrow(
      expect.objectContaining({
        code: 'PermissionDenied',
        message: 'this caller may not ask for that identity',
      }),
    );
  });
});
