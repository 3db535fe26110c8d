import { once } from 'node:events';
import { request } from 'node:http';
import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createMetrics } from '../../src/adapters/metrics/index.ts';
import { type MonitoringListener, startMonitoringListener } from '../../src/api/http/index.ts';
import { CitadelError, silentLog, systemClock } from '../../src/kernel/index.ts';
import { waitFor } from '../parts/index.ts';

let listener: MonitoringListener;
const state = { broken: false, stuck: false };

const options = {
  address: { host: '127.0.0.1', port: 0 },
  registry: createMetrics(systemClock, { process: false }),
  livez: [{ name: 'loop', check: async () => undefined }],
  readyz: [
    {
      name: 'store',
      check: async () => {
        if (state.broken)
          throw new CitadelError('Unavailable', 'the disk\u001B\nis full', { details: '/secret/path' });
        return undefined;
      },
    },
    { name: 'vault', check: async () => ({ warning: 'sealed; issuing goes on for 3h' }) },
    {
      name: 'bug',
      check: async (signal: AbortSignal) => {
        if (state.stuck) await once(signal, 'never');
        if (state.broken) throw new Error('token abc123');
        return undefined;
      },
    },
  ],
  log: silentLog,
  checkTimeoutMilliseconds: 200,
};

beforeAll(async () => {
  listener = await startMonitoringListener(options);
});
afterAll(() => listener.close());

interface Reply {
  readonly status: number;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly body: string;
}

function ask(
  path: string,
  method = 'GET',
  headers: Record<string, string> = {},
  body?: string,
): Promise<Reply> {
  return new Promise((done, fail) => {
    const call = request(
      { host: '127.0.0.1', port: listener.address.port, path, method, headers },
      (response) => {
        const parts: Buffer[] = [];
        response.on('data', (part: Buffer) => parts.push(part));
        response.on('end', () =>
          done({
            status: response.statusCode ?? 0,
            headers: response.headers,
            body: Buffer.concat(parts).toString(),
          }),
        );
      },
    );
    call.on('error', fail);
    call.end(body);
  });
}

describe('the monitoring listener', () => {
  it('answers /livez and /readyz in one word', async () => {
    expect(await ask('/livez')).toMatchObject({ status: 200, body: 'ok\n' });
    expect(await ask('/readyz')).toMatchObject({ status: 200, body: 'ok\n' });
  });

  it('names each check, with why', async () => {
    expect((await ask('/readyz?verbose')).body).toBe(
      '[+]store ok\n[!]vault warning: sealed; issuing goes on for 3h\n[+]bug ok\npassed\n',
    );
    const { body } = await ask('/readyz?verbose', 'GET', { accept: 'application/json' });
    expect(JSON.parse(body)).toMatchObject({
      healthy: true,
      checks: [{ name: 'store', state: 'ok' }, {}, {}],
    });
  });

  it('fails without telling what callers should not know', async () => {
    state.broken = true;
    const brief = await ask('/readyz');
    const verbose = await ask('/readyz?verbose');
    const live = await ask('/livez');
    state.broken = false;
    expect(brief.status).toBe(503);
    expect(verbose.status).toBe(503);
    expect(verbose.body).toContain('[-]store failed: the disk is full');
    expect(verbose.body).toContain('[-]bug failed: internal error');
    expect(verbose.body).not.toMatch(/secret|abc123/);
    expect(live.status).toBe(200);
  });

  it('does not wait for a check for ever', async () => {
    state.stuck = true;
    const { status, body } = await ask('/readyz?verbose');
    state.stuck = false;
    expect(status).toBe(503);
    expect(body).toContain('[-]bug failed: did not answer in time');
  });

  it('serves metrics as Prometheus reads them', async () => {
    options.registry.issuanceStarted();
    const { status, headers, body } = await ask('/metrics');
    expect(status).toBe(200);
    expect(headers['content-type']).toContain('text/plain; version=0.0.4');
    expect(body).toMatch(/^citadel_server_csr_count 1$/m);
  });

  it('gives HEAD no body, and takes GET and HEAD alone', async () => {
    expect(await ask('/livez', 'HEAD')).toMatchObject({ status: 200, body: '' });
    const refused = await ask('/livez', 'POST', {}, 'x'.repeat(100_000));
    expect(refused).toMatchObject({ status: 405, headers: { allow: 'GET, HEAD', connection: 'close' } });
    expect((await ask('/etc/passwd')).status).toBe(404);
  });

  it('refuses headers above its limit and what is not HTTP', async () => {
    const large = await ask('/livez', 'GET', { 'x-large': 'x'.repeat(20_000) });
    expect([400, 431]).toContain(large.status);
    const socket = connect(listener.address.port, '127.0.0.1');
    const replies: Buffer[] = [];
    socket.on('data', (part: Buffer) => replies.push(part));
    socket.write('\u0016\u0003\u0001 not http\r\n\r\n');
    await once(socket, 'close');
    expect(Buffer.concat(replies).toString()).toMatch(/^HTTP\/1\.1 400 /);
  });

  it('lets nobody keep a connection by not reading', async () => {
    const crl = { id: 'large', issuer: 'ab', number: 1, der: Buffer.alloc(32 * 1024 * 1024) };
    const own = await startMonitoringListener({
      ...options,
      crls: () => [crl],
      replyTimeoutMilliseconds: 100,
    });
    const socket = connect(own.address.port, '127.0.0.1');
    socket.pause();
    socket.on('error', () => {});
    socket.write('GET /crl/large.crl HTTP/1.1\r\nHost: a\r\n\r\n');
    // Who does not read learns of the end by what he writes.
    await waitFor(() => {
      socket.write('\r\n');
      return socket.destroyed;
    });
    await own.close();
  });

  it('says plainly that a port is in use', async () => {
    const address = { host: '127.0.0.1', port: listener.address.port };
    const error = await startMonitoringListener({ ...options, address }).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: 'FailedPrecondition' });
    expect(String(error)).toContain(`127.0.0.1:${address.port} is in use`);
  });
});
