import { expect, test } from 'vitest';
import { serverConfigFromObject } from '../../../src/app/config/index.ts';
import { outsideVerifiers } from '../../../src/app/outside-verifiers.ts';

test('who verifies without a certificate of ours is named where the configuration has him', () => {
  const development = {
    mode: 'development',
    trustDomain: 'example.org',
    keys: { memory: {} },
    attestation: { development: { key: { issuerKeyFile: 'issuer.pem' } } },
  };
  const names = (settings: object) =>
    outsideVerifiers(serverConfigFromObject({ ...development, ...settings })).map(({ name }) => name);
  const clusters = [{ id: 'Kubernetes' }];
  expect(names({})).toStrictEqual([]);
  expect(names({ publish: { configMap: {}, clusterTrustBundle: {} } })).toStrictEqual([
    'whoever reads the ClusterTrustBundle',
  ]);
  expect(
    names({ attestation: { kubernetes: { clusters } }, mesh: { sources: { kubernetes: {} } } }),
  ).toStrictEqual(['the Kubernetes API server, which calls the webhook']);
});
