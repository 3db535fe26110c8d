import { mkdirSync, readdirSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { exchange, temporaryDirectory } from '../../parts/index.ts';
import { runCitadel } from '../../support/citadel.ts';
import { diskKeys } from '../../support/disk-keys.ts';
import { registryText } from '../../support/registry.ts';
import { startTestServer, type TestServer } from '../../support/server.ts';

const policies = (action: string, mode: string) => `
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {namespace: shop, name: no-admin}
spec: {action: ${action}, rules: [{to: [{operation: {paths: ["/admin"]}}]}]}
---
apiVersion: security.istio.io/v1
kind: PeerAuthentication
metadata: {namespace: shop, name: default}
spec: {mtls: {mode: ${mode}}}
`;
const workloads = registryText([{ name: 'orders', ports: [{ port: 8080, application: 9080 }] }]);

/** A server whose registry outlives it. */
async function begin() {
  const home = await temporaryDirectory('restart');
  const registry = join(home.path, 'registry');
  const keys = diskKeys(home.path);
  mkdirSync(registry);
  const write = (name: string, text: string) => writeFileSync(join(registry, name), text);
  write('mesh.yaml', workloads);
  write('policies.yaml', policies('DENY', 'STRICT'));
  const start = (directory = registry) =>
    startTestServer({ keys, mesh: { sources: { files: { directory } } } }, { directory: home.path });
  return { home, registry, write, start, [Symbol.asyncDispose]: () => home[Symbol.asyncDispose]() };
}

const holding = ({ app }: TestServer) =>
  app.controlPlane
    ?.view('files/shop/orders')
    ?.policies.map((policy) =>
      policy.kind === 'AuthorizationPolicy'
        ? policy.action
        : policy.kind === 'PeerAuthentication' && policy.mode,
    );
const citadel = (server: TestServer, ...args: readonly string[]) =>
  runCitadel([...args, '--socket', join(server.directory, 'operator.sock')], {
    directory: server.directory,
    home: 'home',
  });

describe('a restart', () => {
  it('takes away no DENY and no STRICT that are broken by then, and says so', async () => {
    await using place = await begin();
    const first = await place.start();
    expect(holding(first)).toEqual(['DENY', 'STRICT']);
    await first.stop();
    place.write('policies.yaml', policies('DENYY', 'STRICTLY'));
    await using second = await place.start();
    expect(holding(second)).toEqual(['DENY', 'STRICT']);
    const check = await citadel(second, 'check');
    expect(check.code).toBe(1);
    expect(check.stdout).toMatch(
      /broken, and its last good form is in force: 2, the first: policies\.yaml:5:/,
    );
  });

  it('serves what was known while the registry is away, and shows how old it is', async () => {
    await using place = await begin();
    await (await place.start()).stop();
    renameSync(place.registry, `${place.registry}-away`);
    await using second = await place.start();
    expect(holding(second)).toEqual(['DENY', 'STRICT']);
    const age = /files: ENOENT: .*; last current 20\d\d-[^ ]+Z, \d+(?:ms|s) ago/;
    expect((await citadel(second, 'check')).stdout).toMatch(age);
    const { port } = second.app.monitoring.address;
    expect((await exchange(`http://127.0.0.1:${port}/readyz?verbose`)).body).toMatch(age);
  });

  it('forgets what a source said that is not configured any more', async () => {
    await using place = await begin();
    await (await place.start()).stop();
    const other = join(place.home.path, 'other');
    mkdirSync(other);
    await (await place.start(other)).stop();
    renameSync(place.registry, `${place.registry}-away`);
    await using third = await place.start();
    expect(third.app.controlPlane?.snapshot()).toBeUndefined();
    expect((await citadel(third, 'check')).stdout).toContain('it has never been read');
  });

  it('does not believe what was kept once somebody has changed it, and says so', async () => {
    await using place = await begin();
    await (await place.start()).stop();
    const kept = join(place.home.path, 'sources');
    for (const file of readdirSync(kept)) writeFileSync(join(kept, file), '{}');
    place.write('policies.yaml', policies('DENYY', 'STRICT'));
    await using second = await place.start();
    expect(holding(second)).toEqual(['STRICT']);
    const { stdout, stderr } = await citadel(second, 'policy', 'status');
    expect(stdout).not.toContain('no-admin');
    expect(stderr).toContain('policies.yaml:5:16: AuthorizationPolicy/shop/no-admin: spec.action');
    expect(stderr).toContain('; nothing of it is in force');
  });
});
