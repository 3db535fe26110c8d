import { once } from 'node:events';
import { connect } from 'node:http2';
import { status } from '@grpc/grpc-js';
import { describe, expect, it } from 'vitest';
import { clusterType, extensionType, listenerType, secretType } from '../../../src/api/grpc/ads/types.ts';
import { Node } from '../../../src/gen/envoy/config/core/v3/base.ts';
import { DiscoveryRequest } from '../../../src/gen/envoy/service/discovery/v3/discovery.ts';
import { openDelta, openSotw } from '../../fakes/ads-client.ts';
import { type AdsServer, type Identity, otherId, startAdsServer, webId } from '../../fakes/ads-server.ts';
import { waitFor } from '../../parts/index.ts';
import { startRelay } from '../../support/relay.ts';

const other = { spiffeId: otherId, proxyKey: 'uid-2' };

/** That another proxy is served as ever. */
async function serves(server: AdsServer, text: string, port = server.listener.port): Promise<void> {
  using stream = openDelta(server.client(await server.identity(other), port));
  stream.send({ typeUrl: clusterType });
  expect((await stream.next()).resources[0]?.resource?.value.toString()).toBe(text);
}

/** A client by HTTP/2 alone, for one of gRPC takes messages in advance: its flow control closes after 64 KB. */
function unreading(server: AdsServer, { chainPem, keyPem }: Identity) {
  const connection = connect(`https://localhost:${server.listener.port}`, {
    ca: server.rootPem,
    cert: chainPem,
    key: keyPem,
  });
  const closed = once(connection, 'close');
  const path = '/envoy.service.discovery.v3.AggregatedDiscoveryService/StreamAggregatedResources';
  const stream = connection.request({
    ':method': 'POST',
    ':path': path,
    'content-type': 'application/grpc',
    te: 'trailers',
  });
  for (const each of [connection, stream]) each.on('error', () => {});
  const ask = (typeUrl: string) => {
    const message = Buffer.from(DiscoveryRequest.encode(DiscoveryRequest.create({ typeUrl })).finish());
    const head = Buffer.alloc(5);
    head.writeUInt32BE(message.length, 1);
    stream.write(Buffer.concat([head, message]));
  };
  return { ask, closed };
}

describe('a proxy that', () => {
  it('asks for another’s resources gets none of them, by either variant', async () => {
    await using server = await startAdsServer();
    server.source.set(webId, secretType, { mine: 'web' });
    server.source.set(otherId, secretType, { theirs: 'key' });
    const identity = await server.identity();
    const node = Node.fromPartial({ id: 'other', metadata: { spiffeId: otherId, proxyKey: 'uid-2' } });
    using delta = openDelta(server.client(identity));
    delta.send({ typeUrl: secretType, resourceNamesSubscribe: ['mine', 'theirs', '*'], node });
    const answer = await delta.next();
    expect(answer.resources.map(({ name }) => name)).toEqual(['mine']);
    expect(answer.removedResources.sort()).toEqual(['*', 'theirs']);
    using sotw = openSotw(server.client(identity));
    sotw.send({ typeUrl: secretType, resourceNames: ['theirs', '*'], node });
    sotw.send({ typeUrl: secretType, resourceNames: ['theirs', '*', 'mine'] });
    expect((await sotw.next()).resources.map(({ value }) => value.toString())).toEqual(['web']);
    expect(server.source.sessions.map(({ proxy }) => proxy.spiffeId)).toEqual([webId, webId]);
  });

  it('refuses everything is sent each content a bounded number of times, and others their own', async () => {
    await using server = await startAdsServer({ limits: { errorCharacters: 100 } });
    const many = (text: string) => Object.fromEntries(Array.from({ length: 500 }, (_, n) => [`x${n}`, text]));
    server.source.set(webId, extensionType, many('1'));
    server.source.set(otherId, clusterType, { c: 'fine' });
    using stream = openDelta(server.client(await server.identity()));
    stream.send({ typeUrl: extensionType, resourceNamesSubscribe: Object.keys(many('')) });
    const refusing = (async () => {
      for (;;) stream.answer(await stream.next(), { error: 'x'.repeat(5000) });
    })();
    refusing.catch(() => undefined);
    const { sent, answers } = await waitFor(() =>
      server.source.sessions.find(({ proxy }) => proxy.spiffeId === webId),
    );
    /** How many pushes there have been, once none follows the last refusal while another proxy is served. */
    const settled = async (): Promise<number> => {
      const before = sent.length;
      await serves(server, 'fine');
      await waitFor(() => answers.length >= sent.length);
      expect(sent.length).toBeLessThan(2000);
      return sent.length === before && before > 0 ? before : settled();
    };
    const pushes = await settled();
    // All together, and each by itself.
    const names = sent.flatMap(({ resources }) => [...resources.keys()]);
    const times = Object.keys(many('')).map((name) => names.filter((each) => each === name).length);
    expect(new Set(times)).toEqual(new Set([2]));
    const errors = answers.flatMap(({ error }) => error ?? []);
    expect(errors.length).toBeGreaterThan(500);
    expect(errors.every(({ length }) => length === 100)).toBe(true);
    server.source.notify(webId);
    server.source.notify(webId);
    expect(await settled()).toBe(pushes);
  });

  it('answers nothing is cut off with a reason', async () => {
    await using server = await startAdsServer({ limits: { answer: 300 } });
    server.source.set(webId, clusterType, { c: '1' });
    using stream = openSotw(server.client(await server.identity()));
    stream.send({ typeUrl: clusterType });
    await stream.next();
    const { code, details } = await stream.ended;
    expect(code).toBe(status.DEADLINE_EXCEEDED);
    expect(details).toContain('cds was not answered');
    await waitFor(() => server.source.sessions[0]?.open === false);
  });

  it('reads nothing holds one frame, is cut off, and others are served', async () => {
    await using server = await startAdsServer({ limits: { answer: 500, orderWait: 10 } });
    const large = Buffer.alloc(8_000_000, 1);
    for (const typeUrl of [clusterType, listenerType]) server.source.set(webId, typeUrl, { large });
    server.source.set(otherId, clusterType, { c: 'fine' });
    const reader = unreading(server, await server.identity());
    reader.ask(clusterType);
    reader.ask(listenerType);
    await waitFor(() => server.source.sessions[0]?.sent.length === 1);
    await serves(server, 'fine');
    await waitFor(() => server.source.sessions[0]?.open === false);
    expect(server.source.sessions[0]?.sent.map(({ typeUrl }) => typeUrl)).toEqual([clusterType]);
    // It takes no status either: its connection is cut.
    await reader.closed;
  });

  it.each(['at once', 'by and by'])('asks for a million names %s is refused with a reason', async (how) => {
    await using server = await startAdsServer({ messageBytes: 16_777_216 });
    server.source.set(webId, clusterType, {});
    server.source.set(otherId, clusterType, { c: 'fine' });
    using stream = openDelta(server.client(await server.identity()));
    const names = Array.from({ length: 1_000_000 }, (_, index) => `n${index}`);
    const portion = how === 'at once' ? names.length : 10_000;
    for (let at = 0; at < 2 * portion; at += portion) {
      const resourceNamesSubscribe = names.slice(at, at + portion);
      stream.send({ typeUrl: secretType, resourceNamesSubscribe });
    }
    const [{ code, details }] = await Promise.all([stream.ended, serves(server, 'fine')]);
    expect(code).toBe(status.RESOURCE_EXHAUSTED);
    expect(details).toBe(
      'a discovery stream may ask for 16384 resource names at most; subscribe to fewer, or to "*"',
    );
    await serves(server, 'fine');
  });

  it('sends a request above the listener’s size is refused there', async () => {
    await using server = await startAdsServer();
    server.source.set(webId, clusterType, {});
    using stream = openSotw(server.client(await server.identity()));
    stream.send({ typeUrl: secretType, resourceNames: ['x'.repeat(70_000)] });
    expect((await stream.ended).code).toBe(status.RESOURCE_EXHAUSTED);
  });

  it.each([
    ['a long name', { typeUrl: secretType, resourceNames: ['x'.repeat(600)] }, status.RESOURCE_EXHAUSTED],
    ['no type', { typeUrl: '' }, status.INVALID_ARGUMENT],
    ['a long type', { typeUrl: 'x'.repeat(600) }, status.INVALID_ARGUMENT],
    [
      'a large node',
      { typeUrl: secretType, node: Node.fromPartial({ id: 'x'.repeat(40_000) }) },
      status.RESOURCE_EXHAUSTED,
    ],
  ])('asks with %s is refused', async (_what, request, code) => {
    await using server = await startAdsServer();
    server.source.set(webId, clusterType, {});
    using stream = openSotw(server.client(await server.identity()));
    stream.send(request);
    expect((await stream.ended).code).toBe(code);
  });

  it('asks for nothing is not waited for', async () => {
    await using server = await startAdsServer({ limits: { firstRequest: 100 } });
    using stream = openSotw(server.client(await server.identity()));
    expect(await stream.ended).toMatchObject({
      code: status.DEADLINE_EXCEEDED,
      details: expect.stringContaining('no discovery request came'),
    });
  });

  it('opens one stream after another keeps its newest', async () => {
    await using server = await startAdsServer({ limits: { streamsPerProxy: 3 } });
    server.source.set(webId, clusterType, { c: '1' });
    server.source.set(otherId, clusterType, { c: 'fine' });
    const identity = await server.identity();
    using cleanup = new DisposableStack();
    const streams = [];
    for (let count = 0; count < 10; count += 1) {
      const stream = cleanup.use(openSotw(server.client(identity)));
      stream.send({ typeUrl: clusterType });
      await stream.next();
      streams.push(stream);
    }
    const first = await streams[0]?.ended;
    expect(first?.code).toBe(status.RESOURCE_EXHAUSTED);
    expect(first?.details).toContain('more than 3 streams');
    await waitFor(() => server.source.sessions.filter(({ open }) => open).length === 3);
    expect(server.source.sessions.map(({ open }) => open).slice(-3)).toEqual([true, true, true]);
    await serves(server, 'fine');
  });

  it('comes back in a loop is held by the limit on calls', async () => {
    await using server = await startAdsServer({
      callsPerSecondPerPeer: 5,
      limits: { streamsPerProxy: 20 },
    });
    server.source.set(webId, clusterType, { c: '1' });
    server.source.set(otherId, clusterType, { c: 'fine' });
    // The limit is one of an address: the other proxy has another.
    await using relay = await startRelay(server.listener.port, '127.0.0.2');
    const client = server.client(await server.identity());
    using cleanup = new DisposableStack();
    const again = () => {
      const stream = cleanup.use(openSotw(client));
      stream.send({ typeUrl: clusterType });
      return stream.next().then(
        () => 'served',
        () => stream.ended,
      );
    };
    const ends = Array.from({ length: 20 }, again);
    await serves(server, 'fine', relay.port);
    const results = await Promise.all(ends);
    const refused = results.filter((result) => typeof result !== 'string');
    expect(results.length - refused.length).toBeLessThanOrEqual(6);
    for (const { code, details } of refused)
      expect({ code, details }).toEqual({
        code: status.RESOURCE_EXHAUSTED,
        details: 'too many calls from this address; try again later',
      });
    await serves(server, 'fine', relay.port);
  });
});
