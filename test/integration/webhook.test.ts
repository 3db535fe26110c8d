import { generateKeyPairSync } from 'node:crypto';
import { once } from 'node:events';
import { Agent, request as httpsRequest, type RequestOptions } from 'node:https';
import { connect as connectTcp } from 'node:net';
import { connect } from 'node:tls';
import { afterEach, describe, expect, it } from 'vitest';
import type { Refusal } from '../../src/api/listen/index.ts';
import {
  startWebhookListener,
  type WebhookLimits,
  type WebhookListener,
  type WebhookListenerOptions,
} from '../../src/api/webhook/index.ts';
import { judgePolicy } from '../../src/domain/policy/index.ts';
import type { ServingCertificate } from '../../src/domain/serving/index.ts';
import { Secret, silentLog } from '../../src/kernel/index.ts';
import { selfSigned } from '../e2e/kubernetes/self-signed.ts';
import { meshSettings } from '../fakes/mesh-settings.ts';
import { waitFor } from '../parts/index.ts';

interface Identity extends ServingCertificate {
  readonly keyPem: string;
}

async function identity(name: string): Promise<Identity> {
  const keys = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const pem = await selfSigned(keys, name);
  const keyPem = keys.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
  return {
    chainPem: pem,
    privateKeyPem: new Secret(keyPem),
    bundlePem: pem,
    serial: name,
    notAfter: new Date(Date.now() + 3_600_000),
    keyPem,
  };
}

const limits: WebhookLimits = {
  connections: 20,
  connectionsPerPeer: 4,
  handshakeTimeout: 500,
  requestTimeout: 500,
  requestBytes: 10_000,
  bytesInFlight: 20_000,
  callsPerSecondPerPeer: 50,
};

let current: Identity;
let renew: (next: Identity) => void = () => {};
let refusals: Refusal[] = [];
let listener: WebhookListener | undefined;

afterEach(async () => {
  await listener?.close();
  listener = undefined;
});

async function start(
  given: Partial<WebhookLimits> = {},
  more: Partial<WebhookListenerOptions> = {},
): Promise<WebhookListener> {
  current = await identity('first');
  refusals = [];
  listener = await startWebhookListener({
    address: { host: '127.0.0.1', port: 0 },
    certificates: {
      current: () => current,
      onChange(follow) {
        renew = (next) => {
          current = next;
          follow(next);
        };
        return () => {};
      },
      tick: () => Promise.resolve(),
    },
    clients: undefined,
    judge: (object) => judgePolicy(object, 'kubernetes', { settings: meshSettings, snapshot: undefined }),
    limits: { ...limits, ...given },
    onRefused: (refusal) => refusals.push(refusal),
    log: silentLog,
    ...more,
  });
  return listener;
}

const question = (spec: object = {}) => ({
  apiVersion: 'admission.k8s.io/v1',
  kind: 'AdmissionReview',
  request: {
    uid: 'u-1',
    operation: 'CREATE',
    kind: { group: 'security.istio.io', version: 'v1', kind: 'AuthorizationPolicy' },
    object: {
      apiVersion: 'security.istio.io/v1',
      kind: 'AuthorizationPolicy',
      metadata: { name: 'web', namespace: 'shop' },
      spec,
    },
  },
});

interface Reply {
  readonly status: number | undefined;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly body: string;
}

interface Call extends RequestOptions {
  readonly headers?: Readonly<Record<string, string>>;
  readonly content?: string | object;
  /** Sends the headers, and never ends. */
  readonly endless?: boolean;
}

async function ask({ content = question(), endless = false, ...options }: Call = {}): Promise<Reply> {
  const body = typeof content === 'string' ? content : JSON.stringify(content);
  const sent = httpsRequest({
    host: '127.0.0.1',
    port: listener?.port,
    path: '/validate?timeout=5s',
    method: 'POST',
    ca: current.chainPem,
    agent: false,
    ...options,
    headers: { 'content-type': 'application/json', ...options.headers },
  });
  if (endless) sent.write(body);
  else sent.end(body);
  sent.on('error', () => {});
  const [response] = await once(sent, 'response');
  const parts: Buffer[] = [];
  for await (const part of response) parts.push(part);
  return { status: response.statusCode, headers: response.headers, body: Buffer.concat(parts).toString() };
}

describe('the webhook', () => {
  it('judges a policy', async () => {
    await start();
    const good = await ask();
    expect(good).toMatchObject({ status: 200, headers: { 'content-type': 'application/json' } });
    expect(JSON.parse(good.body)).toMatchObject({ response: { uid: 'u-1', allowed: true } });
    const bad = await ask({ content: question({ rulez: [] }) });
    expect(JSON.parse(bad.body)).toMatchObject({
      response: { allowed: false, status: { message: expect.stringContaining('did you mean rules?') } },
    });
    expect(refusals).toEqual([]);
  });

  it.each<[string, Call, number]>([
    ['another path', { path: '/' }, 404],
    ['another method', { method: 'GET', content: '' }, 405],
    ['another type of content', { headers: { 'content-type': 'text/plain' } }, 415],
    ['no type of content', { headers: { 'content-type': '' } }, 415],
    ['compressed content', { headers: { 'content-encoding': 'gzip' } }, 415],
    ['no JSON', { content: '{' }, 400],
    ['nothing', { content: '' }, 400],
    ['no AdmissionReview', { content: { kind: 'Pod' } }, 400],
    [
      'a length beyond the limit',
      { headers: { 'content-length': '10001' }, content: 'x', endless: true },
      413,
    ],
    [
      'a body beyond the limit',
      { headers: { 'transfer-encoding': 'chunked' }, content: 'x'.repeat(10_001), endless: true },
      413,
    ],
    ['a body that does not end', { headers: { 'content-length': '100' }, content: 'x', endless: true }, 408],
  ])('answers %s with the right status', async (_, call, status) => {
    await start();
    expect(await ask(call)).toMatchObject({ status });
    // The next caller is served.
    expect(await ask()).toMatchObject({ status: 200 });
  });

  it('takes what is nested without an end', async () => {
    await start({ requestBytes: 1_000_000, bytesInFlight: 1_000_000 });
    const deep = `${'['.repeat(200_000)}${']'.repeat(200_000)}`;
    const content = JSON.stringify(question({ rules: 0 })).replace('"rules":0', `"rules":${deep}`);
    expect(JSON.parse((await ask({ content })).body)).toMatchObject({ response: { allowed: false } });
  });

  it('bounds what it holds of all bodies together', async () => {
    await start({ requestTimeout: 30_000 });
    const hold = () => {
      const content = 'x'.repeat(9_000);
      return ask({ headers: { 'transfer-encoding': 'chunked' }, content, endless: true }).catch(() => {});
    };
    void hold();
    void hold();
    const content = JSON.stringify(question()).padEnd(9_000);
    await waitFor(async () => (await ask({ content })).status === 503, { what: 'too much to be held' });
    expect(refusals).toContainEqual(expect.objectContaining({ kind: 'rate' }));
  });

  it('bounds how often an address may ask that proves nothing, and tells when to come again', async () => {
    await start({ callsPerSecondPerPeer: 0.01 });
    const statuses: unknown[] = [];
    for (let call = 0; call < 8; call += 1) statuses.push((await ask()).status);
    // What it took to answer is charged as well, so that only the first is certain on a slow machine.
    expect(statuses[0]).toBe(200);
    expect(statuses).toContain(429);
    expect(await ask()).toMatchObject({ status: 429, headers: { 'retry-after': '1' } });
    expect(refusals.filter(({ notable }) => notable)).toHaveLength(1);
  });

  it('ends connections beyond the limit of an address, and handshakes that do not end', async () => {
    await start();
    const idle = Array.from({ length: 4 }, () => connectTcp(listener?.port ?? 0, '127.0.0.1'));
    for (const socket of idle) socket.on('error', () => {});
    await waitFor(
      () =>
        refusals.length > 0 ||
        ask().then(
          () => false,
          () => refusals.length > 0,
        ),
      {
        what: 'a connection too many',
      },
    );
    expect(refusals[0]).toMatchObject({ kind: 'connections', peer: '127.0.0.1' });
    await Promise.all(idle.map(async (socket) => socket.closed || (await once(socket, 'close'))));
    expect(await ask()).toMatchObject({ status: 200 });
  });

  it('shows a renewed certificate to the next connection', async () => {
    await start();
    const keepAlive = new Agent({ keepAlive: true });
    expect(await ask({ agent: keepAlive })).toMatchObject({ status: 200 });
    renew(await identity('second'));
    const socket = connect({ host: '127.0.0.1', port: listener?.port ?? 0, ca: current.chainPem });
    await once(socket, 'secureConnect');
    expect(socket.getPeerCertificate().subject.CN).toBe('second');
    socket.destroy();
    expect(await ask({ agent: keepAlive })).toMatchObject({ status: 200 });
    keepAlive.destroy();
  });
});

describe('a webhook for API servers with a certificate', () => {
  const certified = ({ chainPem, keyPem }: Identity) => ({ cert: chainPem, key: keyPem });

  it('serves those of the authority and name alone, and tells them all', async () => {
    const [apiServer, kubelet, stranger] = await Promise.all(
      ['kube-apiserver', 'kubelet', 'stranger'].map(identity),
    );
    if (!apiServer || !kubelet || !stranger) throw new Error('no identities');
    let authorities = apiServer.chainPem + kubelet.chainPem;
    const told: boolean[] = [];
    await start(
      { callsPerSecondPerPeer: 0.1 },
      {
        clients: { authorities: () => authorities, names: ['kube-apiserver'] },
        judge: (_object, tellAll) => {
          told.push(tellAll);
          return { problems: [], warnings: [] };
        },
      },
    );
    for (let call = 0; call < 10; call += 1)
      expect(await ask(certified(apiServer))).toMatchObject({ status: 200 });
    expect(told).toEqual(Array(10).fill(true));
    for (const other of [{}, certified(kubelet), certified(stranger)])
      expect(await ask(other)).toMatchObject({ status: 403 });
    expect(told).toHaveLength(10);
    expect(refusals[0]).toMatchObject({ kind: 'client' });
    authorities = kubelet.chainPem;
    renew(await identity('second'));
    expect(await ask(certified(apiServer))).toMatchObject({ status: 403 });
  });
});
