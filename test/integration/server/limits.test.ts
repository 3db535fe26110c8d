import { once } from 'node:events';
import { connect as connectHttp2 } from 'node:http2';
import { connect as connectTcp } from 'node:net';
import { status } from '@grpc/grpc-js';
import { describe, expect, it } from 'vitest';
import { waitFor } from '../../parts/index.ts';
import { caught, connectTls } from '../../support/observe.ts';
import { newRequest, startTestServer, type TestServer } from '../../support/server.ts';

async function refusals({ app }: TestServer, action: string) {
  const { items } = await app.store.audit.find({ action, limit: 100 });
  return items;
}

describe('the limits of a listener', () => {
  it('on calls of one address: refused, told, and on the record once a second', async () => {
    await using server = await startTestServer({ limits: { callsPerSecondPerPeer: 2 } });
    const token = (await server.token()).reveal();
    const { csr } = await newRequest();
    const results = await Promise.all([...Array(12)].map(() => caught(server.create({ csr }, { token }))));
    const refused = results.filter((error) => error?.code === status.RESOURCE_EXHAUSTED);
    expect(refused.length).toBeGreaterThanOrEqual(5);
    expect(refused[0]?.details).toContain('too many calls');
    expect(results.filter((error) => error === undefined).length).toBeGreaterThanOrEqual(2);
    const recorded = await waitFor(async () => {
      const items = await refusals(server, 'listener.call');
      return items.length > 0 ? items : undefined;
    });
    expect(recorded[0]).toMatchObject({
      outcome: 'refused',
      subject: 'unauthenticated',
      target: '/istio.v1.auth.IstioCertificateService/CreateCertificate',
      reason: 'too many calls of this address',
      details: { peer: '127.0.0.1' },
    });
    expect(recorded.length).toBeLessThan(refused.length);
  });

  it('on connections: one too many is cut off and recorded, and there is room again after one has gone', async () => {
    await using server = await startTestServer({ limits: { connections: 2 } });
    const [one, two] = [await connectTls(server), await connectTls(server)];
    const third = connectTcp({ host: '127.0.0.1', port: server.app.csr.port });
    third.on('error', () => undefined);
    await once(third, 'close');
    await waitFor(async () => (await refusals(server, 'listener.connect')).length > 0);
    one.destroy();
    const next = await waitFor(() => connectTls(server).catch(() => undefined));
    next.destroy();
    two.destroy();
  });

  it('on the size of a request: refused before the service, and on the record', async () => {
    await using server = await startTestServer({ limits: { messageBytes: 2048 } });
    const token = (await server.token()).reveal();
    const error = await caught(server.create({ csr: 'x'.repeat(10_000) }, { token }));
    expect(error?.code).toBe(status.RESOURCE_EXHAUSTED);
    const [recorded] = await waitFor(async () => {
      const items = await refusals(server, 'listener.call');
      return items.length > 0 ? items : undefined;
    });
    expect(recorded?.reason).toContain('too large');
  });

  it('on the time of a handshake', async () => {
    await using server = await startTestServer({ limits: { handshakeTimeout: '200ms' } });
    const silent = connectTcp({ host: '127.0.0.1', port: server.app.csr.port });
    silent.on('error', () => undefined);
    await once(silent, 'close');
  });

  it('on the time that a request may take to arrive: told, and on the record', async () => {
    await using server = await startTestServer({ limits: { requestTimeout: '200ms' } });
    const socket = await connectTls(server);
    const session = connectHttp2(`https://localhost:${server.app.csr.port}`, {
      createConnection: () => socket,
    });
    const call = session.request({
      ':method': 'POST',
      ':path': '/istio.v1.auth.IstioCertificateService/CreateCertificate',
      'content-type': 'application/grpc',
      te: 'trailers',
    });
    // The header of a message of 100 octets, and nothing of it.
    call.write(Uint8Array.of(0, 0, 0, 0, 100));
    const [headers] = await once(call, 'response');
    expect(headers).toMatchObject({
      'grpc-status': String(status.DEADLINE_EXCEEDED),
      'grpc-message': expect.stringContaining('in%20time'),
    });
    session.destroy();
    await waitFor(async () => (await refusals(server, 'listener.call')).length > 0);
  });

  it('on streams of one connection', async () => {
    await using server = await startTestServer({ limits: { streamsPerConnection: 3 } });
    const socket = await connectTls(server);
    const session = connectHttp2(`https://localhost:${server.app.csr.port}`, {
      createConnection: () => socket,
    });
    await once(session, 'remoteSettings');
    expect(session.remoteSettings.maxConcurrentStreams).toBe(3);
    session.destroy();
  });

  it('asks for TLS 1.2 at least, and for HTTP/2', async () => {
    await using server = await startTestServer();
    const error = await connectTls(server, ['http/1.1']).catch((cause: unknown) => cause);
    expect(String(error)).toMatch(/alert|protocol/i);
  });
});
