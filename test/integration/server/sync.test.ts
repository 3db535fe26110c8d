import { once } from 'node:events';
import { join } from 'node:path';
import { type ClientDuplexStream, credentials, type ServiceError, status } from '@grpc/grpc-js';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  AgentServiceClient,
  ConsumerKind,
  ResourceReport_Kind,
  type SyncRequest,
  type SyncResponse,
} from '../../../src/gen/citadel/v1/agent.ts';
import { parseCertificate } from '../../../src/pki/index.ts';
import { waitFor } from '../../parts/index.ts';
import { runCitadel } from '../../support/citadel.ts';
import { issueTo } from '../../support/issue-to.ts';
import { newRequest, startTestServer, type TestServer } from '../../support/server.ts';

interface Identity {
  readonly chainPem: string;
  readonly privateKeyPem: string;
}

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
});
afterAll(() => server.stop());

/** An SVID, as a workload gets it. */
async function svid(instance: string, seconds = 600n, from = server): Promise<Identity & { serial: string }> {
  const { csr, privateKeyPem } = await newRequest();
  const workload = { namespace: 'shop', serviceAccount: 'web', instance };
  const token = (await from.tokens.issue(workload, 'istio-ca', 600_000)).reveal();
  const { certChain } = await from.create({ csr, validityDuration: seconds }, { token });
  const { serialHex } = parseCertificate(certChain[0] ?? '');
  return { chainPem: certChain.slice(0, -1).join(''), privateKeyPem, serial: serialHex };
}

interface Opened extends AsyncDisposable {
  readonly stream: ClientDuplexStream<SyncRequest, SyncResponse>;
  readonly first: Promise<SyncResponse>;
  readonly ended: Promise<ServiceError>;
}

function open(identity: Identity | undefined, to = server): Opened {
  const roots = Buffer.from(to.app.authority.bundle().pem);
  const tls = identity
    ? credentials.createSsl(roots, Buffer.from(identity.privateKeyPem), Buffer.from(identity.chainPem))
    : credentials.createSsl(roots);
  const client = new AgentServiceClient(`127.0.0.1:${to.app.csr.port}`, tls, {
    'grpc.ssl_target_name_override': 'istiod.istio-system.svc',
  });
  const stream = client.sync();
  const ended = new Promise<ServiceError>((resolve) => {
    stream.on('error', resolve);
  });
  const first = once(stream, 'data').then(([message]: readonly SyncResponse[]) => {
    if (!message) throw new Error('no message');
    return message;
  });
  first.catch(() => undefined);
  return {
    stream,
    first,
    ended,
    [Symbol.asyncDispose]: async () => {
      stream.cancel();
      client.close();
      await ended;
    },
  };
}

/** An agent's report that its Envoy uses the version named `used`. */
function report(used: string): SyncRequest {
  const resource = {
    name: 'default',
    kind: ResourceReport_Kind.KIND_SVID,
    sentVersion: used,
    acceptedVersion: used,
    inUseVersion: used,
    inUseEvidence: 'envoy-admin',
    nackError: '',
    inUseIssuer: '',
    observedAt: undefined,
  };
  const consumer = {
    consumerId: 'envoy-1',
    kind: ConsumerKind.CONSUMER_KIND_ENVOY_SDS,
    lastSeenAt: undefined,
    program: { name: 'envoy', version: '1.40.0', library: 'BoringSSL' },
  };
  return {
    envoy: undefined,
    report: {
      agentVersion: '1',
      bundleVersion: '',
      crlVersion: '',
      program: undefined,
      consumers: [{ ...consumer, resources: [resource] }],
    },
  };
}

/** The windows for the renewal, as they come: begin and end as parts of the time from now to the certificate's end. */
function windows({ stream }: Opened, seconds: number): { start: number; end: number }[] {
  const from = Date.now();
  const part = (at: Date | undefined) => ((at?.getTime() ?? 0) - from) / (seconds * 1000);
  const told: { start: number; end: number }[] = [];
  stream.on('data', ({ renewal }: SyncResponse) => {
    if (renewal) told.push({ start: part(renewal.start), end: part(renewal.end) });
  });
  return told;
}

/** The reasons of the orders for a new key, as they come. */
function orders({ stream }: Opened): string[] {
  const reasons: string[] = [];
  stream.on('data', ({ reKey }: SyncResponse) => {
    if (reKey) reasons.push(reKey.reason);
  });
  return reasons;
}

const proxies = () => server.app.store.adoption.list();

describe('Sync', () => {
  it('gives the bundle at once, and keeps what the agent reports', async () => {
    const identity = await svid('web-1');
    await using opened = open(identity);
    const { bundles } = await opened.first;
    expect(bundles?.version).toBe(server.app.authority.bundle().version);
    opened.stream.write(report(identity.serial));
    const kept = await waitFor(async () =>
      (await proxies()).find(({ consumers }) =>
        consumers.some(({ resources }) => resources.some(({ inUse }) => inUse === identity.serial)),
      ),
    );
    expect(kept).toMatchObject({ connected: true, svidSerial: identity.serial });
    // Whoever asked for a certificate and said nothing by it is not spoken for.
    const silent = await svid('web-1');
    const leaves = await server.app.store.issuance.liveLeaves(new Date());
    const reported = new Map(leaves.map((leaf) => [leaf.serial, leaf.reported]));
    expect([identity, silent].map(({ serial }) => reported.get(serial))).toEqual([true, false]);
  });

  it('tells each agent when to renew: in the middle third of the life, and not all at once', async () => {
    await using own = await startTestServer();
    const told = [];
    for (const name of ['web-1', 'web-2', 'web-3']) {
      await using opened = open(await svid(name, 600n, own), own);
      const heard = windows(opened, 600);
      await waitFor(() => heard.length > 0);
      told.push(...heard);
    }
    expect(told).toHaveLength(3);
    for (const { start, end } of told) {
      expect(start).toBeGreaterThan(0.3);
      expect(end).toBeGreaterThan(start);
      expect(end).toBeLessThan(0.7);
    }
    expect(new Set(told.map(({ start }) => Math.round(start * 100))).size).toBeGreaterThan(1);
  });

  it('counts each pod of one service account by itself', async () => {
    const [one, two] = [await svid('web-2'), await svid('web-3')];
    await using first = open(one);
    await using second = open(two);
    await Promise.all([first.first, second.first]);
    second.stream.write(report('claimed-by-web-3'));
    await waitFor(async () => JSON.stringify(await proxies()).includes('claimed-by-web-3'));
    const speaking = (await proxies()).filter((proxy) => JSON.stringify(proxy).includes('claimed-by-web-3'));
    expect(speaking.map(({ svidSerial }) => svidSerial)).toEqual([two.serial]);
  });

  it('refuses who has no certificate', async () => {
    const opened = open(undefined);
    expect((await opened.ended).code).toBe(status.UNAUTHENTICATED);
  });

  it('refuses a certificate of another server with the same trust domain', async () => {
    await using other = await startTestServer();
    const opened = open(await svid('web-1', 600n, other));
    expect((await opened.ended).code).toBe(status.UNAUTHENTICATED);
  });

  it.each([
    ['an operator', 'operator:alice', '/citadel/operator/alice'],
    ['a server', 'server:0123456789abcdef', '/citadel/server/0123456789abcdef'],
  ])('is not for %s', async (_who, principal, path) => {
    const opened = open(await issueTo(server, principal, path));
    expect((await opened.ended).code).toBe(status.PERMISSION_DENIED);
  });

  it('ends with the certificate that opened it', async () => {
    const opened = open(await svid('web-4', 11n));
    await opened.first;
    const { code, details } = await opened.ended;
    expect(code).toBe(status.UNAUTHENTICATED);
    expect(details).toContain('has ended');
  });

  it('refuses a report that is too large, and the proxy counts as gone', async () => {
    const identity = await svid('web-5');
    const opened = open(identity);
    await opened.first;
    const connected = async () =>
      (await proxies()).find(({ svidSerial }) => svidSerial === identity.serial)?.connected;
    opened.stream.write(report(identity.serial));
    await waitFor(connected);
    opened.stream.write(report('x'.repeat(100_000)));
    expect((await opened.ended).code).toBe(status.RESOURCE_EXHAUSTED);
    await waitFor(async () => (await connected()) === false);
  });

  it('is closed at shutdown, so that agents come back elsewhere', async () => {
    await using leaving = await startTestServer();
    const opened = open(await svid('web-1', 600n, leaving), leaving);
    await opened.first;
    const stopped = leaving.stop();
    const { code, details } = await opened.ended;
    expect(code).toBe(status.UNAVAILABLE);
    expect(details).toContain('shutting down');
    await stopped;
  });
});

describe('a canary', () => {
  const rootsIn = (certChain: readonly string[]) => certChain.at(-1)?.match(/BEGIN CERTIFICATE/g)?.length;

  it('reaches the chosen agent by its stream and with its next certificate, and nobody else by either', async () => {
    await using own = await startTestServer();
    const { app } = own;
    const renew = async (instance: string) => {
      const workload = { namespace: 'shop', serviceAccount: 'web', instance };
      const token = (await own.tokens.issue(workload, 'istio-ca', 600_000)).reveal();
      return rootsIn((await own.create({ csr: (await newRequest()).csr }, { token })).certChain);
    };
    const bundles = new Map<string, number[]>();
    const connect = async (instance: string) => {
      const agent = open(await svid(instance, 600n, own), own);
      const got: number[] = [];
      bundles.set(instance, got);
      agent.stream.on('data', ({ bundles: set }: SyncResponse) => {
        if (set) got.push(set.bundles[0]?.x509Authorities.length ?? 0);
      });
      agent.stream.write(report('x'));
      await waitFor(async () =>
        (await app.store.adoption.list()).some(({ proxyKey }) => proxyKey.endsWith(instance)),
      );
      return agent;
    };
    await using _one = await connect('web-1');
    await using _two = await connect('web-2');
    const { activeRoot } = await app.rotation.status();
    const order = { by: 'operator:ann', proof: 'none', reason: 'a drill', oldRoot: activeRoot };
    const { rotation } = await app.rotation.start({
      ...order,
      canary: { selectors: ['50%'], watch: 3_600_000 },
    });
    const [key = ''] = rotation?.canary?.watched.map(({ proxyKey }) => proxyKey) ?? [];
    const [chosen, other] = key.endsWith('web-1') ? ['web-1', 'web-2'] : ['web-2', 'web-1'];
    await waitFor(() => bundles.get(chosen)?.length === 2);
    expect(bundles.get(chosen)).toEqual([1, 2]);
    expect(await renew(chosen)).toBe(2);
    expect(await renew(other)).toBe(1);
    expect(bundles.get(other)).toEqual([1]);
    const leaves = await app.store.issuance.liveLeaves(new Date());
    const handed = leaves.find(({ proxyKey }) => proxyKey === key)?.bundleVersion ?? '';
    expect((await app.store.authorities.bundleContents()).get(handed)).toHaveLength(2);

    // While nobody of it is there who could tell what comes of it, it is given what all are.
    await _one[Symbol.asyncDispose]();
    await _two[Symbol.asyncDispose]();
    await waitFor(async () => (await renew(chosen)) === 1);
  });
});

describe('a tainted issuing authority', () => {
  it('signs no more, and every agent under it is told to make a new key', async () => {
    await using own = await startTestServer();
    const { authority, store } = own.app;
    const tainted = authority.issuer().record;
    const old = await svid('web-1', 600n, own);
    await using agent = open(old, own);
    const told = orders(agent);
    const window = windows(agent, 600);
    await agent.first;
    await waitFor(() => window.length === 1);
    const socket = ['--socket', join(own.directory, 'operator.sock')];
    const outcome = await runCitadel(
      ['authority', 'taint', tainted.id, '--yes', '--reason', 'its disk was copied', ...socket],
      { directory: own.directory, home: 'nobody' },
    );
    expect(outcome).toMatchObject({ code: 0, stdout: expect.stringContaining(tainted.fingerprint) });
    await waitFor(() => told.length > 0);
    expect(told[0]).toContain('tainted');
    // Should the order not reach it, it comes by itself soon after.
    expect(window).toHaveLength(2);
    expect(window[1]?.start).toBeLessThan((window[0]?.start ?? 0) / 2);
    expect(authority.issuer().record.id).not.toBe(tainted.id);

    // Who comes with a new certificate is not told; who comes after him with an old one is.
    await using renewed = open(await svid('web-1', 600n, own), own);
    const toldRenewed = orders(renewed);
    await renewed.first;
    await using back = open(old, own);
    const toldBack = orders(back);
    await waitFor(() => toldBack.length > 0);
    expect(toldRenewed).toEqual([]);
    expect(told).toHaveLength(1);
    const events = (await store.audit.find({ action: 'authority.taint', limit: 9 })).items;
    expect(events).toMatchObject([{ target: tainted.id, reason: 'its disk was copied' }]);
  });

  it('is no root, and is one that exists', async () => {
    const socket = ['--socket', join(server.directory, 'operator.sock')];
    const taint = (id: string) =>
      runCitadel(['authority', 'taint', id, '--yes', ...socket], { directory: server.directory, home: 'x' });
    const root = server.app.authority.records().find(({ kind }) => kind === 'root')?.id ?? '';
    expect((await taint(root)).stderr).toContain('citadel rotate start');
    expect((await taint('none')).stderr).toContain('no authority');
  });
});
