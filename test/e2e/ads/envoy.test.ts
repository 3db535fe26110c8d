import { describe, expect, test } from 'vitest';
import {
  clusterType,
  endpointType,
  extensionType,
  listenerType,
  routeType,
  secretType,
} from '../../../src/api/grpc/ads/types.ts';
import { openDelta } from '../../fakes/ads-client.ts';
import { type AdsServer, startAdsServer, webId } from '../../fakes/ads-server.ts';
import { type Envoy, exchange, hasPart, waitFor } from '../../parts/index.ts';
import { adsEnvoy, backend, cluster, denial, endpoints, listener, routes } from './fixture.ts';

const answers = ({ source }: AdsServer) => source.sessions.flatMap((session) => session.answers);
const refusals = (server: AdsServer) => answers(server).filter(({ error }) => error !== undefined);
const accepts = (server: AdsServer, typeUrl: string, name: string) => {
  const versions = answers(server)
    .filter((answer) => answer.typeUrl === typeUrl && answer.error === undefined)
    .map(({ resources }) => resources.get(name));
  return new Set(versions.filter((version) => version !== undefined)).size;
};

async function call(envoy: Envoy, name: string): Promise<string> {
  const port = await envoy.listenerPort(name);
  // A kept connection would go on by the filter chain that it began with, while that drains.
  return (await exchange(`http://127.0.0.1:${port}/`, { headers: { connection: 'close' } })).body;
}

async function warming(envoy: Envoy): Promise<number> {
  const stats = await envoy.stats('^cluster_manager.warming_clusters$');
  return stats['cluster_manager.warming_clusters'] ?? -1;
}

describe.skipIf(!hasPart('envoy')).each(['GRPC', 'DELTA_GRPC'] as const)('a real Envoy by %s', (api) => {
  test('is served, follows without a lost request, and keeps what is good', async () => {
    // Envoy's node alone is 61 KB.
    await using server = await startAdsServer({ messageBytes: 1_048_576 });
    await using one = await backend('one');
    await using two = await backend('two');
    const { source } = server;
    source.set(webId, clusterType, { one: cluster('one') });
    source.set(webId, endpointType, { one: endpoints('one', one.port) });
    source.set(webId, listenerType, { in: listener('in', 'r') });
    source.set(webId, routeType, { r: routes('r', 'one') });
    await using envoy = await adsEnvoy(server, await server.identity(), api);
    await envoy.waitLive();
    expect(await call(envoy, 'in')).toBe('one');
    expect(source.sessions[0]?.proxy).toMatchObject({ spiffeId: webId, nodeId: 'web-1' });

    // All changes at once, the old cluster goes: who calls meanwhile sees one or the other.
    source.set(webId, clusterType, { two: cluster('two') });
    source.set(webId, endpointType, { two: endpoints('two', two.port) });
    source.push(webId, routeType, { r: routes('r', 'two') });
    const replies: string[] = [];
    await waitFor(
      async () => {
        replies.push(await call(envoy, 'in'));
        return replies.at(-1) === 'two' && answers(server).some(({ removed }) => removed.includes('one'));
      },
      { interval: 1, what: 'the old cluster to go' },
    );
    expect(new Set(replies)).toEqual(new Set(replies.includes('one') ? ['one', 'two'] : ['two']));
    expect(refusals(server)).toEqual([]);

    // A cluster changes and its endpoints do not: an Envoy that got no endpoints would warm it for 15 s.
    source.push(webId, clusterType, { two: cluster('two', 3n) });
    await waitFor(() => accepts(server, clusterType, 'two') === 2, { deadline: 3000 });
    await waitFor(async () => (await warming(envoy)) === 0, { deadline: 3000 });

    // One broken listener beside a good one.
    source.push(webId, listenerType, { in: listener('in', 'r', ''), more: listener('more', 'r') });
    await waitFor(() => refusals(server).length === 1);
    expect(refusals(server)[0]?.error).toMatch(/listener\(s\) in: Proto constraint validation failed/);
    expect(refusals(server)[0]?.error).not.toContain('goo.gle');
    expect([...(refusals(server)[0]?.resources.keys() ?? [])]).toEqual(['in']);
    expect(await call(envoy, 'in')).toBe('two');
    expect(await call(envoy, 'more')).toBe('two');

    // A broken route before a good one, in one response: Envoy stops at the first, and the good one comes all the same.
    source.set(webId, listenerType, { in: listener('in', 'r'), more: listener('more', 's') });
    source.set(webId, routeType, { r: routes('r', 'two'), s: routes('s', 'two') });
    source.notify(webId);
    await waitFor(() => accepts(server, routeType, 's') === 1);
    source.set(webId, clusterType, { one: cluster('one'), two: cluster('two', 3n) });
    source.set(webId, endpointType, { one: endpoints('one', one.port), two: endpoints('two', two.port) });
    source.push(webId, routeType, { r: routes('r', ''), s: routes('s', 'one') });
    await waitFor(async () => (await call(envoy, 'more')) === 'one', { deadline: 5000 });
    expect(await call(envoy, 'in')).toBe('two');
    await waitFor(() => refusals(server).at(-1)?.resources.size === 1);
    expect([...(refusals(server).at(-1)?.resources.keys() ?? [])]).toEqual(['r']);

    // Mended, it comes back.
    source.push(webId, routeType, { r: routes('r', 'one'), s: routes('s', 'one') });
    await waitFor(async () => (await call(envoy, 'in')) === 'one', { deadline: 5000 });
  });

  test('comes back to where it was after its stream was cut', async () => {
    await using server = await startAdsServer({ messageBytes: 1_048_576, limits: { streamsPerProxy: 1 } });
    await using one = await backend('one');
    const { source } = server;
    source.set(webId, clusterType, { one: cluster('one'), old: cluster('old') });
    source.set(webId, endpointType, { one: endpoints('one', one.port), old: endpoints('old', one.port) });
    source.set(webId, listenerType, { in: listener('in', 'r') });
    source.set(webId, routeType, { r: routes('r', 'one') });
    await using envoy = await adsEnvoy(server, await server.identity(), api);
    await envoy.waitLive();
    expect(await call(envoy, 'in')).toBe('one');
    // A filter that it refuses from the start: sent once more, it would be accepted, and not applied.
    source.set(webId, extensionType, { guard: denial('guard', ':method', 'x'.repeat(200)) });
    source.push(webId, listenerType, {
      in: listener('in', 'r'),
      guarded: listener('guarded', 'r', 'in', ['guard']),
    });
    await waitFor(() => refusals(server).length === 1);
    const endpointsSent = () =>
      source.sessions.at(-1)?.sent.flatMap(({ resources }) => [...resources.keys()]);

    // Another stream of the same proxy: its oldest, Envoy's, is ended.
    using stream = openDelta(server.client(await server.identity()));
    stream.send({ typeUrl: secretType });
    await waitFor(() => source.sessions.length === 3 && !source.sessions[0]?.open);
    source.set(webId, clusterType, { one: cluster('one', 5n) });
    source.push(webId, endpointType, { one: endpoints('one', one.port) });
    await waitFor(async () => !(await envoy.adminGet('/clusters')).body.includes('old::'), {
      deadline: 25_000,
    });
    await waitFor(async () => (await warming(envoy)) === 0, { deadline: 3000 });
    expect(await call(envoy, 'in')).toBe('one');
    if (api === 'DELTA_GRPC') expect(endpointsSent()).toEqual(['one', 'one']);
    const ofFilters = ({ typeUrl }: { readonly typeUrl: string }) => typeUrl === extensionType;
    expect(source.sessions.at(-1)?.answers.filter(ofFilters)).toMatchObject([
      { error: expect.stringContaining('program size') },
    ]);
    expect(source.sessions.at(-1)?.sent.filter(ofFilters)).toEqual([]);
    source.push(webId, extensionType, { guard: denial('guard', ':method', 'GET') });
    await waitFor(async () => (await call(envoy, 'guarded')) === 'RBAC: access denied', {
      deadline: 5000,
      what: 'the mended filter to hold',
    });
  });
});
