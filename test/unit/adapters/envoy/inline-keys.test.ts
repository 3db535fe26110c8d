import { generateKeyPairSync } from 'node:crypto';
import { expect, test } from 'vitest';
import { createEnvoyRenderer } from '../../../../src/adapters/envoy/index.ts';
import { composeSnapshot } from '../../../../src/domain/mesh/snapshot.ts';
import { indexMesh, viewOf } from '../../../../src/domain/mesh/view.ts';
import { TypedExtensionConfig } from '../../../../src/gen/envoy/config/core/v3/extension.ts';
import { JwtAuthentication } from '../../../../src/gen/envoy/extensions/filters/http/jwt_authn/v3/config.ts';
import { content, settings, workload } from '../../domain/mesh/samples.ts';
import { policy } from '../../domain/policy/mesh.ts';

test('proxies get of inline keys what verifies: nothing that signs, and nothing that Envoy would refuse', () => {
  const { d, ...open } = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({
    format: 'jwk',
  });
  const jwks = JSON.stringify({
    keys: [
      { kty: 'AKP', pub: 'AA' },
      { ...open, d, kid: 'a', x5t: 'z' },
    ],
  });
  const orders = workload('orders');
  const tokens = policy(
    `${orders.namespace}/tokens`,
    { jwtRules: [{ issuer: 'https://a.example', jwks, spaceDelimitedClaims: ['roles', 'scope'] }] },
    { kind: 'RequestAuthentication' },
  );
  const index = indexMesh(composeSnapshot(settings, [content([orders], [], [tokens])]));
  const view = viewOf(index, orders.id);
  if (!view) throw new Error('no view');
  const all = createEnvoyRenderer()
    .render(view)
    .get('type.googleapis.com/envoy.config.core.v3.TypedExtensionConfig');
  const [filter] = [...(all ?? [])].filter(([name]) => name.endsWith('citadel.jwt'));
  const config = TypedExtensionConfig.decode(filter?.[1].value ?? Buffer.alloc(0)).typedConfig;
  const [provider] = Object.values(JwtAuthentication.decode(config?.value ?? Buffer.alloc(0)).providers);
  const source = provider?.jwksSourceSpecifier;
  if (source?.$case !== 'localJwks' || source.value.specifier?.$case !== 'inlineString')
    throw new Error('no inline keys');
  expect(JSON.parse(source.value.specifier.value)).toEqual({ keys: [{ ...open, kid: 'a' }] });
  expect(provider?.normalizePayloadInMetadata?.spaceDelimitedClaims).toEqual([
    'permission',
    'roles',
    'scope',
  ]);
});
