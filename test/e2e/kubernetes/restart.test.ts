import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { hasPart, type TemporaryDirectory, temporaryDirectory, waitFor } from '../../parts/index.ts';
import { runCitadel } from '../../support/citadel.ts';
import { diskKeys } from '../../support/disk-keys.ts';
import { startTestServer, type TestServer } from '../../support/server.ts';
import { type Fixture, readManifest, startFixture } from './fixture.ts';

describe.skipIf(!hasPart('kubeapi'))('a server that is started while the API server is away', () => {
  const cleanup = new AsyncDisposableStack();
  let fixture: Fixture;
  let home: TemporaryDirectory;
  let start: () => Promise<TestServer>;

  beforeAll(async () => {
    fixture = cleanup.use(await startFixture());
    home = cleanup.use(await temporaryDirectory('restart'));
    for (const kind of ['authorizationpolicies', 'peerauthentications', 'requestauthentications'])
      await fixture.kube.apply(await readManifest(`crds/${kind}.yaml`));
    const keys = diskKeys(home.path);
    const kubeconfig = await fixture.kubeconfigFor(fixture.serverToken);
    start = () =>
      startTestServer(
        {
          keys,
          attestation: { kubernetes: { clusters: [{ id: 'Kubernetes', kubeconfig }] } },
          mesh: { sources: { kubernetes: { policyStatus: false } } },
        },
        { directory: home.path },
      );
  });
  afterAll(() => cleanup.disposeAsync());

  it('configures proxies from what it knew, says how old that is, and follows the cluster again', async () => {
    const namespace = await fixture.kube.createNamespace('restart');
    const path = `/apis/security.istio.io/v1/namespaces/${namespace}/peerauthentications`;
    const write = (name: string) =>
      fixture.kube.request('POST', path, {
        apiVersion: 'security.istio.io/v1',
        kind: 'PeerAuthentication',
        metadata: { name },
        spec: { mtls: { mode: 'STRICT' } },
      });
    const names = ({ app }: TestServer) =>
      app.controlPlane
        ?.snapshot()
        ?.policies.filter(({ meta }) => meta.namespace === namespace)
        .map(({ meta }) => meta.name);
    await write('before');
    const first = await start();
    await waitFor(() => names(first)?.length === 1, { what: 'the policy' });
    await first.stop();

    await fixture.kube.request('DELETE', `${path}/before`);
    await write('after');
    fixture.proxy.fault = () => ({ kind: 'drop' });
    await using second = await start();
    expect(names(second)).toEqual(['before']);
    const { stdout } = await runCitadel(['check', '--socket', join(home.path, 'operator.sock')], {
      directory: home.path,
      home: 'home',
    });
    expect(stdout).toMatch(
      /registry +warning +away: kubernetes\/Kubernetes: .*; last current 20.*Z, \d+m?s ago/,
    );
    fixture.proxy.fault = undefined;
    await waitFor(() => names(second)?.[0] === 'after', { what: 'the cluster to be followed again' });
    expect(names(second)).toEqual(['after']);
  });
});
