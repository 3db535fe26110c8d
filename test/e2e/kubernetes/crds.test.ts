import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readPolicy } from '../../../src/domain/policy/index.ts';
import { hasPart, type KubeApi, startKubeApi, waitFor } from '../../parts/index.ts';
import { readManifest } from './fixture.ts';

const plurals = {
  AuthorizationPolicy: 'authorizationpolicies',
  PeerAuthentication: 'peerauthentications',
  RequestAuthentication: 'requestauthentications',
} as const;
type Kind = keyof typeof plurals;

const key =
  '{"keys":[{"kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0","kid":"k","alg":"ES256"}]}';
const labels = { matchLabels: { app: 'orders' } };
const from = (source: object) => ({ rules: [{ from: [{ source }] }] });

describe.skipIf(!hasPart('kubeapi'))('the definitions of the policy kinds', () => {
  let kube: KubeApi;
  let namespace: string;

  beforeAll(async () => {
    kube = await startKubeApi();
    namespace = await kube.createNamespace('crds');
    for (const plural of Object.values(plurals)) await kube.apply(await readManifest(`crds/${plural}.yaml`));
  });
  afterAll(async () => {
    await kube?.[Symbol.asyncDispose]();
  });

  let made = 0;
  /** As `kubectl apply --server-side`, which validates strictly unless told otherwise. */
  const apply = async (kind: Kind, spec: object, version = 'v1') => {
    const name = `p-${++made}`;
    const object = {
      apiVersion: `security.istio.io/${version}`,
      kind,
      metadata: { name, namespace },
      spec,
    };
    const path = `/apis/security.istio.io/${version}/namespaces/${namespace}/${plurals[kind]}/${name}`;
    const query = '?fieldManager=kubectl&force=true&fieldValidation=Strict';
    const contentType = 'application/apply-patch+yaml';
    // The first writes after a definition may still be answered 404 or 429.
    const reply = await waitFor(
      async () => {
        const answer = await kube.send('PATCH', path + query, object, { contentType });
        return answer.status === 404 || answer.status === 429 ? undefined : answer;
      },
      { what: `the kind ${kind}` },
    );
    return { path, object, reply, stored: JSON.parse(reply.body) as unknown };
  };

  it.each<[Kind, string, object]>([
    ['AuthorizationPolicy', 'that denies all', {}],
    ['AuthorizationPolicy', 'that allows all', { rules: [{}] }],
    [
      'AuthorizationPolicy',
      'with everything',
      {
        selector: labels,
        action: 'DENY',
        rules: [
          {
            from: [
              {
                source: {
                  principals: ['cluster.local/ns/a/sa/*'],
                  notNamespaces: ['b'],
                  ipBlocks: ['10.0.0.0/8'],
                },
              },
              { source: { serviceAccounts: ['a/b'], remoteIpBlocks: ['2001:db8::/32'] } },
              { source: { trustDomains: ['example.org'], notTrustDomains: ['*.other'] } },
            ],
            to: [
              { operation: { hosts: ['*.example'], ports: ['8080'], methods: ['GET'], paths: ['/a/{*}'] } },
            ],
            when: [
              { key: 'request.headers[x]', notValues: ['y'] },
              { key: 'experimental.envoy.filters.http.ext_authz[tier]', values: ['gold', '[gold]'] },
            ],
          },
        ],
      },
    ],
    [
      'AuthorizationPolicy',
      'that asks a provider, at a Service',
      {
        targetRefs: [{ kind: 'Service', name: 's' }],
        action: 'CUSTOM',
        provider: { name: 'x' },
        rules: [{}],
      },
    ],
    ['PeerAuthentication', 'of a namespace', { mtls: { mode: 'STRICT' } }],
    [
      'PeerAuthentication',
      'of a port',
      { selector: labels, portLevelMtls: { '8080': { mode: 'DISABLE' }, '65535': { mode: 'STRICT' } } },
    ],
    [
      'RequestAuthentication',
      'with everything',
      {
        selector: labels,
        jwtRules: [
          { issuer: 'https://a.example', jwksUri: 'https://a.example/keys', audiences: ['x'], timeout: '5s' },
          {
            issuer: 'b',
            jwks: key,
            fromHeaders: [{ name: 'x-token', prefix: 'Bearer ' }],
            fromParams: ['t'],
            fromCookies: ['c'],
            outputPayloadToHeader: 'x-claims',
            outputClaimToHeaders: [{ header: 'x-sub', claim: 'sub' }],
            forwardOriginalToken: true,
            spaceDelimitedClaims: ['roles'],
          },
          { jwks_uri: 'https://c.example/keys' },
        ],
      },
    ],
  ])('take a good %s %s, in both versions, and it is read', async (kind, _what, spec) => {
    for (const version of ['v1', 'v1beta1']) {
      const { reply, stored } = await apply(kind, spec, version);
      expect(reply.body).toMatch(/"generation":1/);
      const { policy, problems } = readPolicy(stored, { source: 'kubernetes/test' });
      expect(problems).toEqual([]);
      expect(policy?.meta.generation).toBe(1);
    }
  });

  it.each<[Kind, object, RegExp]>([
    ['AuthorizationPolicy', { colour: 'red' }, /spec\.colour/],
    ['AuthorizationPolicy', { action: 'PERMIT' }, /Unsupported value: .*PERMIT/],
    ['AuthorizationPolicy', { action: 'DENY' }, /CUSTOM and DENY without a rule never apply/],
    ['AuthorizationPolicy', { action: 'CUSTOM', rules: [{}] }, /needs provider\.name/],
    ['AuthorizationPolicy', { provider: { name: 'x' } }, /no other takes one/],
    ['AuthorizationPolicy', from({}), /at least 1 properties/],
    ['AuthorizationPolicy', from({ principals: [] }), /at least 1 items/],
    ['AuthorizationPolicy', from({ principals: [''] }), /at least 1 char/],
    ['AuthorizationPolicy', from({ principals: 'a' }), /expected/],
    ['AuthorizationPolicy', from({ trustDomains: [] }), /at least 1 items/],
    ['AuthorizationPolicy', from({ serviceAccounts: ['a'], namespaces: ['b'] }), /cannot be in one source/],
    ['AuthorizationPolicy', { rules: [{ when: [{ key: 'source.ip' }] }] }, /at least one of values/],
    [
      'AuthorizationPolicy',
      { selector: labels, targetRefs: [{ kind: 'Service', name: 's' }] },
      /only one of selector and targetRefs/,
    ],
    [
      'AuthorizationPolicy',
      { targetRefs: [{ kind: 'Gateway', name: 's' }] },
      /group must be that of the kind/,
    ],
    [
      'AuthorizationPolicy',
      { targetRefs: [{ kind: 'Service', name: 's', namespace: 'x' }] },
      /another namespace/,
    ],
    ['PeerAuthentication', { mtls: { mode: 'MUTUAL' } }, /Unsupported value: .*MUTUAL/],
    ['PeerAuthentication', { portLevelMtls: { '80': {} } }, /need a selector/],
    ['PeerAuthentication', { selector: labels, portLevelMtls: { '0': {} } }, /from 1 to 65535/],
    ['PeerAuthentication', { selector: labels, portLevelMtls: { '65536': {} } }, /from 1 to 65535/],
    ['PeerAuthentication', { selector: labels, portLevelMtls: { http: {} } }, /from 1 to 65535/],
    ['RequestAuthentication', { jwtRules: [{ jwks: key }] }, /issuer is required where there is no jwksUri/],
    [
      'RequestAuthentication',
      { jwtRules: [{ issuer: 'a', jwks: key, jwksUri: 'https://a' }] },
      /only one of jwks/,
    ],
    [
      'RequestAuthentication',
      { jwtRules: [{ issuer: 'a', spaceDelimitedClaims: Array.from({ length: 65 }, () => 'x') }] },
      /at most 64 items/,
    ],
    [
      'RequestAuthentication',
      { jwtRules: [{ issuer: 'a', jwksUri: 'https://a', jwks_uri: 'https://a' }] },
      /only one of jwks/,
    ],
  ])('refuse a bad %s: %j', async (kind, spec, reason) => {
    const { reply, object } = await apply(kind, spec);
    expect(reply).toMatchObject({
      status: expect.toBeOneOf([400, 422, 500]),
      body: expect.stringMatching(reason),
    });
    expect(readPolicy(object, { source: 'test' }).policy).toBeUndefined();
  });

  it('keep a status apart from what its author wrote', async () => {
    const { path } = await apply('PeerAuthentication', { mtls: { mode: 'STRICT' } });
    const condition = {
      type: 'Accepted',
      status: 'True',
      reason: 'Read',
      message: '',
      observedGeneration: 1,
      lastTransitionTime: '2026-01-01T00:00:00Z',
    };
    const merge = { contentType: 'application/merge-patch+json' };
    const both = { spec: { mtls: { mode: 'DISABLE' } }, status: { conditions: [condition] } };
    const stored = await kube.request('PATCH', `${path}/status`, both, merge);
    expect(stored).toMatchObject({
      metadata: { generation: 1 },
      spec: { mtls: { mode: 'STRICT' } },
      status: { conditions: [condition] },
    });
    const wrong = { status: { conditions: [{ ...condition, status: 'Perhaps' }] } };
    await expect(kube.request('PATCH', `${path}/status`, wrong, merge)).rejects.toThrow(/Unsupported value/);
  });
});
