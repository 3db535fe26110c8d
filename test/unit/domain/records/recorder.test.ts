import { describe, expect, test } from 'vitest';
import { composeSnapshot } from '../../../../src/domain/mesh/snapshot.ts';
import type {
  AccessLogEntry,
  AccessLogSink,
  DecisionRecord,
  Store,
} from '../../../../src/domain/ports/index.ts';
import type { RecordLimits } from '../../../../src/domain/records/fold.ts';
import { createDecisionRecorder } from '../../../../src/domain/records/index.ts';
import { CitadelError, type Clock, silentLog } from '../../../../src/kernel/index.ts';
import { memoryStore } from '../../../fakes/memory-store.ts';
import { at, entry } from '../evidence/samples.ts';
import { content, settings, workload } from '../mesh/samples.ts';

const orders = workload('orders', { labels: { app: 'orders', 'pod-template-hash': '5d4' } });
const port = orders.ports[0]?.port ?? 0;
const web = 'spiffe://example.org/ns/shop/sa/web';
const proxy = { proxyKey: 'k', spiffeId: 's', svidSerial: '1', nodeId: 'n', nodeMetadata: {} };

const call = (changes: Partial<AccessLogEntry> = {}) =>
  entry({ workload: orders.id, port, transport: 'mtls', callerId: web, sampled: true, ...changes });

/** A recorder at a time that the test sets; what it has told is in the store when it is closed. */
async function start(store: Pick<Store, 'decisions'>, limits?: RecordLimits) {
  let now = at(100);
  const clock: Clock = {
    now: () => now,
    sleep: (_milliseconds, signal) =>
      new Promise((_, reject) =>
        signal?.addEventListener('abort', () => reject(new Error('stopped')), { once: true }),
      ),
  };
  const passedOn: (readonly AccessLogEntry[])[] = [];
  const sink: AccessLogSink = {
    open: ({ proxyKey }) => {
      if (proxyKey !== 'k') throw new CitadelError('PermissionDenied', 'no workload is yours');
      return {
        workload: orders.id,
        record: (entries) => passedOn.push(entries),
        refuse: () => undefined,
        close: () => undefined,
      };
    },
  };
  const recorder = createDecisionRecorder({
    mesh: { snapshot: () => composeSnapshot(settings, [content([orders], [])]) },
    sink,
    store: store.decisions,
    clock,
    log: silentLog,
    ...(limits ? { limits } : {}),
  });
  await recorder.start();
  return {
    recorder,
    passedOn,
    record: (...entries: AccessLogEntry[]) => recorder.open(proxy).record(entries),
    set: (seconds: number) => {
      now = at(seconds);
    },
  };
}

async function recorded(
  entries: readonly AccessLogEntry[],
  limits?: RecordLimits,
): Promise<readonly DecisionRecord[]> {
  const store = memoryStore();
  const { recorder, record } = await start(store, limits);
  record(...entries);
  await recorder.close();
  return (await store.decisions.find({ limit: 1000 })).items.toReversed();
}

const short = ({ caller, path, count, lacks }: DecisionRecord) => [
  caller?.split('/').at(-1),
  path,
  count,
  lacks,
];

describe('recorded decisions', () => {
  test('counts alike calls together, and keeps from where they came', async () => {
    const records = await recorded([
      call({ path: '/a', host: 'orders.shop', serverName: 'sni', policy: 'shop/web', rule: 1 }),
      call({
        path: '/a',
        host: 'orders.shop',
        serverName: 'sni',
        policy: 'shop/web',
        rule: 1,
        callerAddress: '10.0.0.8',
      }),
    ]);
    expect(records).toStrictEqual([
      {
        workload: orders.id,
        serviceAccount: 'orders',
        labels: { app: 'orders' },
        period: at(0),
        port,
        transport: 'mtls',
        caller: web,
        addresses: ['10.0.0.7', '10.0.0.8'],
        method: 'GET',
        path: '/a',
        host: 'orders.shop',
        serverName: 'sni',
        decision: 'allowed',
        refusedBy: undefined,
        policy: 'shop/web',
        rule: 1,
        sampled: true,
        lacks: [],
        first: at(100),
        last: at(100),
        count: 2,
      },
    ]);
  });

  test('hands all on, and takes from no proxy what it may not say', async () => {
    const { recorder, passedOn, record } = await start(memoryStore());
    record(call());
    expect(passedOn).toStrictEqual([[call()]]);
    expect(() => recorder.open({ ...proxy, proxyKey: 'other' })).toThrow('no workload is yours');
    await recorder.close();
  });

  test.each<[string, Partial<AccessLogEntry>, Partial<DecisionRecord>]>([
    ['a cut path', { path: `/${'a'.repeat(600)}` }, { path: undefined, lacks: ['path'] }],
    ['a mended path', { path: '/a\uFFFDb' }, { path: undefined, lacks: ['path'] }],
    ['a host with a password', { host: 'ann:secret@orders' }, { host: undefined, lacks: ['host'] }],
    ['a path that no policy compares', { path: '/a//b' }, { path: undefined, lacks: ['path'] }],
    ['TLS that the proxy does not end', { transport: 'other-tls' }, { lacks: ['serverName'] }],
    ['a long method', { method: 'A'.repeat(33) }, { method: undefined, lacks: ['method'] }],
    ['a port that nobody declares', { port: 1 }, { port: 0, lacks: ['port'] }],
    ['a connection, which has no method', { method: undefined, path: undefined }, { lacks: [] }],
    ['a denial by policies', { decision: 'denied', reason: 'rbac_access_denied' }, { refusedBy: 'policies' }],
    [
      'a denial by a token',
      { decision: 'denied', reason: 'jwt_authn_access_denied' },
      { refusedBy: 'token' },
    ],
    [
      'a denial by an authorizer',
      { decision: 'denied', reason: 'ext_authz_denied' },
      { refusedBy: 'authorizer' },
    ],
    [
      'a refused connection',
      { decision: 'denied', unproved: true, reason: 'x' },
      { refusedBy: 'connection' },
    ],
  ])('keeps of %s what is whole', async (_, given, expected) => {
    expect(await recorded([call(given)])).toMatchObject([expected]);
  });

  test('counts no call twice, and takes back what came to nothing', async () => {
    const plain = { transport: 'plaintext', callerId: undefined, sampled: false } as const;
    const records = await recorded([
      call({ ...plain, path: '/goes-on' }),
      call({ ...plain, path: '/goes-on', first: false }),
      call({ ...plain, path: '/denied' }),
      call({
        ...plain,
        path: '/denied',
        decision: 'denied',
        reason: 'rbac_access_denied',
        policy: 'shop/no',
        rule: 0,
        first: false,
      }),
      call({ ...plain, path: '/nobody' }),
      call({ ...plain, path: '/nobody', decision: 'unserved', first: false }),
      call({ ...plain, path: '/never', decision: 'unserved' }),
    ]);
    expect(records.map(({ path, decision, count }) => [path, decision, count])).toStrictEqual([
      ['/goes-on', 'allowed', 1],
      ['/denied', 'denied', 1],
    ]);
  });

  test('of addresses too many to keep none is kept, and the calls stay one record', async () => {
    const calls = Array.from({ length: 9 }, (_, index) => call({ callerAddress: `10.0.1.${index}` }));
    expect(await recorded(calls)).toMatchObject([{ addresses: [], lacks: ['address'], count: 9 }]);
  });

  const limits = { perCaller: 2, perWorkload: 5, total: 8 };
  const cron = 'spiffe://example.org/ns/shop/sa/cron';

  test('a caller with too many ways is counted by less, and takes no room from others', async () => {
    const records = await recorded(
      [...['/1', '/2', '/3', '/4', '/1'].map((path) => call({ path })), call({ callerId: cron, path: '/c' })],
      limits,
    );
    expect(records.map(short)).toStrictEqual([
      ['web', '/1', 2, []],
      ['web', '/2', 1, []],
      ['web', undefined, 2, ['method', 'path', 'host', 'serverName']],
      ['cron', '/c', 1, []],
    ]);
  });

  test('callers without a certificate are one caller', async () => {
    const plain = { transport: 'plaintext', callerId: undefined } as const;
    const records = await recorded(
      ['1', '2', '3', '4'].map((end) => call({ ...plain, path: `/${end}`, callerAddress: `10.0.2.${end}` })),
      limits,
    );
    expect(records.map(short)).toMatchObject([
      [undefined, '/1', 1, []],
      [undefined, '/2', 1, []],
      [undefined, undefined, 2, ['method', 'path', 'host', 'serverName']],
    ]);
  });

  test('of more callers than a workload may have there is a sum, by what became of their calls', async () => {
    const callers = Array.from({ length: 9 }, (_, index) => `spiffe://example.org/ns/shop/sa/c${index}`);
    const records = await recorded(
      [
        ...callers.map((callerId) => call({ callerId, path: '/' })),
        call({ callerId: 'spiffe://example.org/ns/shop/sa/c8', decision: 'denied', policy: 'a/b', rule: 0 }),
      ],
      limits,
    );
    const all = ['method', 'path', 'host', 'serverName', 'caller', 'address', 'port', 'policy'];
    expect(records.map(short)).toStrictEqual([
      ...['c0', 'c1', 'c2', 'c3', 'c4'].map((name) => [name, '/', 1, []]),
      [undefined, undefined, 4, all],
      [undefined, undefined, 1, all],
    ]);
    expect(records.slice(5)).toMatchObject([
      { port: 0, addresses: [], decision: 'allowed' },
      { port: 0, addresses: [], policy: undefined, decision: 'denied' },
    ]);
  });

  test('goes on counting after a restart, and begins anew in the next period', async () => {
    const store = memoryStore();
    for (const _ of [1, 2]) {
      const { recorder, record } = await start(store);
      record(call({ path: '/a' }));
      await recorder.close();
    }
    const { recorder, record, set } = await start(store);
    record(call({ path: '/a' }));
    set(6 * 3600 + 5);
    record(call({ path: '/a' }));
    await recorder.close();
    const { items } = await store.decisions.find({ limit: 10 });
    expect(items.map(({ period, count, last }) => [period, count, last])).toStrictEqual([
      [at(6 * 3600), 1, at(6 * 3600 + 5)],
      [at(0), 3, at(100)],
    ]);
  });

  test('writes later what cannot be written now', async () => {
    const store = memoryStore();
    let broken = true;
    const decisions = new Proxy(store.decisions, {
      get: (target, name, receiver) =>
        name === 'save' && broken
          ? () => Promise.reject(new CitadelError('Unavailable', 'full'))
          : (Reflect.get(target, name, receiver) as unknown),
    });
    const { recorder, record } = await start({ decisions });
    record(call());
    await recorder.close();
    expect((await store.decisions.find({ limit: 10 })).items).toStrictEqual([]);
    broken = false;
    await recorder.close();
    expect((await store.decisions.find({ limit: 10 })).items).toMatchObject([{ count: 1 }]);
  });
});
