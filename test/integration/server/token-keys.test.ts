import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { newProviderKey, startJwksServer } from '../../fakes/jwks-server.ts';
import { TestAuthority } from '../../fakes/test-authority.ts';
import { exchange, temporaryDirectory } from '../../parts/index.ts';
import { diskKeys } from '../../support/disk-keys.ts';
import { startTestServer } from '../../support/server.ts';

test('keys outlast a restart while their provider is away, and their age is told', async () => {
  await using directory = await temporaryDirectory();
  const authority = await TestAuthority.create('company.example');
  await using provider = await startJwksServer(authority);
  provider.keys = [newProviderKey()];
  const registry = directory.join('registry');
  mkdirSync(registry);
  writeFileSync(directory.join('ca.pem'), authority.rootPem);
  writeFileSync(
    join(registry, 'policy.yaml'),
    JSON.stringify({
      apiVersion: 'security.istio.io/v1',
      kind: 'RequestAuthentication',
      metadata: { namespace: 'shop', name: 'tokens' },
      spec: { jwtRules: [{ issuer: 'https://id.example', jwksUri: provider.uri }] },
    }),
  );
  const keys = diskKeys(directory.path);
  const settings = {
    keys,
    mesh: {
      sources: { files: { directory: registry } },
      jwks: {
        allow: [new URL(provider.uri).host],
        allowLoopback: true,
        caFile: directory.join('ca.pem'),
      },
    },
  };
  const data = directory.join('data');
  mkdirSync(data);
  const run = async () => {
    await using server = await startTestServer(settings, { directory: data });
    const snapshot = server.app.controlPlane?.snapshot();
    const { body } = await exchange(`http://127.0.0.1:${server.app.monitoring.address.port}/readyz?verbose`);
    const tokenKeys = body.split('\n').find((line) => line.includes('token-keys'));
    return { keys: [...(snapshot?.keySets ?? [])], version: snapshot?.version, tokenKeys };
  };
  const first = await run();
  expect(first.keys).toEqual([[`jwks:${provider.uri}`, expect.stringContaining('"kty":"EC"')]]);
  expect(first.tokenKeys).not.toContain('old');
  await provider[Symbol.asyncDispose]();
  const second = await run();
  expect(second).toMatchObject({ keys: first.keys, version: first.version });
});
