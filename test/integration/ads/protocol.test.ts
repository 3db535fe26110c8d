import { connectivityState, status } from '@grpc/grpc-js';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createMetrics } from '../../../src/adapters/metrics/index.ts';
import { systemClock } from '../../../src/kernel/index.ts';
import { openDelta, openSotw } from '../../fakes/ads-client.ts';
import { type AdsServer, startAdsServer, webId } from '../../fakes/ads-server.ts';
import { resource as fakeResource } from '../../fakes/discovery-source.ts';
import { waitFor } from '../../parts/index.ts';

const clusters = 'type.googleapis.com/envoy.config.cluster.v3.Cluster';
const listeners = 'type.googleapis.com/envoy.config.listener.v3.Listener';

let server: AdsServer;
beforeAll(async () => {
  server = await startAdsServer();
});
afterAll(() => server[Symbol.asyncDispose]());

const seen = () => {
  const session = server.source.sessions.at(-1);
  if (!session) throw new Error('no session');
  return session;
};

describe('StreamAggregatedResources', () => {
  it('gives everything, then what changed, and tells the source what became of it', async () => {
    server.source.set(webId, clusters, { a: 'a1', b: 'b1' });
    using stream = openSotw(server.client(await server.identity()));
    stream.send({ typeUrl: clusters });
    const first = await stream.next();
    expect(first.resources.map(({ typeUrl, value }) => [typeUrl, value.toString()])).toEqual([
      [clusters, 'a1'],
      [clusters, 'b1'],
    ]);
    stream.answer(first);
    server.source.push(webId, clusters, { a: 'a2', b: 'b1' });
    const second = await stream.next();
    expect(second.resources.map(({ value }) => value.toString())).toEqual(['a2', 'b1']);
    expect(second.nonce).not.toBe(first.nonce);
    stream.answer(second, { error: 'Error adding/updating cluster(s) a: no good' });
    await waitFor(() => seen().answers.at(-1)?.error !== undefined);
    expect(seen().answers.at(-1)).toMatchObject({
      typeUrl: clusters,
      error: expect.stringContaining('no good'),
    });
    expect([...(seen().answers.at(-1)?.resources.keys() ?? [])]).toEqual(['a']);
    server.source.push(webId, clusters, { a: 'a2', b: 'b1', c: 'c1' });
    const third = await stream.next();
    expect(third.resources.map(({ value }) => value.toString())).toEqual(['a1', 'b1', 'c1']);
  });

  it('knows the proxy by its certificate, and the node by the first request', async () => {
    const identity = await server.identity();
    using stream = openSotw(server.client(identity));
    stream.send({ typeUrl: clusters });
    stream.answer(await stream.next());
    stream.send({ typeUrl: listeners, node: undefined });
    await stream.next();
    expect(seen().proxy).toEqual({
      proxyKey: 'uid-1',
      spiffeId: webId,
      svidSerial: identity.serial,
      nodeId: 'test-node',
      nodeMetadata: { labels: { app: 'web' } },
    });
  });
});

describe('a client of the whole that comes back', () => {
  it('has accepted all, where its version is that of what there is', async () => {
    server.source.set(webId, clusters, { a: 'a1' });
    const identity = await server.identity();
    const versionInfo = await (async () => {
      using first = openSotw(server.client(identity));
      first.send({ typeUrl: clusters });
      return (await first.next()).versionInfo;
    })();
    const broughtBy = async (version: string) => {
      using stream = openSotw(server.client(identity));
      stream.send({ typeUrl: clusters, versionInfo: version });
      stream.send({ typeUrl: listeners });
      await stream.next();
      return [...(seen().brought.get(clusters)?.keys() ?? [])];
    };
    server.source.set(webId, listeners, { l: 'l1' });
    expect(await broughtBy(versionInfo)).toEqual(['a']);
    expect(await broughtBy('another')).toEqual([]);
  });
});

describe('DeltaAggregatedResources', () => {
  it('gives what the client lacks, and removes what is gone', async () => {
    server.source.set(webId, clusters, { a: 'a1', b: 'b1' });
    server.source.set(webId, listeners, {});
    using stream = openDelta(server.client(await server.identity()));
    stream.send({ typeUrl: clusters });
    const first = await stream.next();
    expect(first.resources.map(({ name, resource }) => [name, resource?.value.toString()])).toEqual([
      ['a', 'a1'],
      ['b', 'b1'],
    ]);
    expect(first.resources[0]?.resource?.typeUrl).toBe(clusters);
    stream.answer(first);
    stream.send({ typeUrl: listeners });
    stream.answer(await stream.next());
    await waitFor(() => seen().answers.length === 2);
    server.source.push(webId, clusters, { a: 'a2' });
    const second = await stream.next();
    expect(second.resources.map(({ name }) => name)).toEqual(['a']);
    expect(second.removedResources).toEqual(['b']);
  });

  it('tells the source what a client brings from an earlier stream, and of nothing that is not there', async () => {
    const { a = '', b = '' } = Object.fromEntries(
      [fakeResource('a', 'a1'), fakeResource('b', 'b1')].map(({ name, version }) => [name, version]),
    );
    server.source.set(webId, clusters, { a: 'a1', b: 'b2' });
    using stream = openDelta(server.client(await server.identity()));
    stream.send({ typeUrl: clusters, initialResourceVersions: { a, b, gone: 'x' } });
    expect((await stream.next()).resources.map(({ name }) => name)).toEqual(['b']);
    const resources = new Map([
      ['a', a],
      ['b', b],
    ]);
    expect(seen().brought).toEqual(new Map([[clusters, resources]]));
    stream.send({ typeUrl: clusters, initialResourceVersions: { a: 'other' } });
    stream.send({ typeUrl: listeners });
    await stream.next();
    expect(seen().brought).toEqual(new Map([[clusters, resources]]));
  });
});

describe('the metrics', () => {
  it('count what a client refuses of each type, and time each answer', async () => {
    const metrics = createMetrics(systemClock, { process: false });
    await using own = await startAdsServer({ metrics });
    own.source.set(webId, clusters, { a: 'a1' });
    own.source.set(webId, listeners, { l: 'l1' });
    using stream = openDelta(own.client(await own.identity()));
    const answer = async (typeUrl: string, error?: string) => {
      stream.send({ typeUrl });
      stream.answer(await stream.next(), { error });
    };
    await answer(clusters);
    await answer(listeners, 'no good');
    const samples = async () => (await metrics.expose()).split('\n');
    await waitFor(async () =>
      (await samples()).includes('citadel_discovery_push_seconds_count{type="lds"} 1'),
    );
    const lines = await samples();
    expect(lines).toContain('citadel_discovery_nacks_total{type="lds"} 1');
    expect(lines).toContain('citadel_discovery_push_seconds_count{type="cds"} 1');
    expect(lines.filter((line) => line.startsWith('citadel_discovery_nacks_total'))).toHaveLength(1);
  });
});

describe('who may open a stream', () => {
  it('refuses who has no certificate', async () => {
    using stream = openSotw(server.client());
    expect((await stream.ended).code).toBe(status.UNAUTHENTICATED);
  });

  it.each(['operator:alice', 'server:0123'])('is not for %s', async (principal) => {
    using stream = openDelta(server.client(await server.identity({ principal })));
    expect((await stream.ended).code).toBe(status.PERMISSION_DENIED);
  });

  it('is not for a workload that the source does not know', async () => {
    const spiffeId = 'spiffe://ads.test/ns/shop/sa/nobody';
    using stream = openDelta(server.client(await server.identity({ spiffeId })));
    stream.send({ typeUrl: clusters });
    const { code, details } = await stream.ended;
    expect(code).toBe(status.PERMISSION_DENIED);
    expect(details).toBe('this identity has no workload here');
  });

  it('ends with the certificate', async () => {
    const notAfter = new Date(Date.now() + 2500);
    const client = server.client(await server.identity({ notAfter }));
    using stream = openSotw(client);
    stream.send({ typeUrl: clusters });
    await stream.next();
    const { code, details } = await stream.ended;
    expect(code).toBe(status.UNAUTHENTICATED);
    expect(details).toContain('has ended');
    await waitFor(() => !seen().open);
    // The next stream would come with the same certificate, were it on the same connection.
    await waitFor(() => client.getChannel().getConnectivityState(false) !== connectivityState.READY);
  });

  it('ends at shutdown', async () => {
    await using leaving = await startAdsServer();
    leaving.source.set(webId, clusters, {});
    using stream = openSotw(leaving.client(await leaving.identity()));
    stream.send({ typeUrl: clusters });
    await stream.next();
    leaving.stopping.abort();
    expect(await stream.ended).toMatchObject({
      code: status.UNAVAILABLE,
      details: expect.stringContaining('shutting down'),
    });
  });
});
