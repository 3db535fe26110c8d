import { describe, expect, test } from 'vitest';
import type { DecisionRecord } from '../../../../src/domain/ports/index.ts';
import { formatRecord, formatRecordsHead, readRecordLines } from '../../../../src/domain/records/index.ts';
import { at, decisionRecord } from '../../../contract/store-samples.ts';
import { workload } from '../mesh/samples.ts';

const orders = workload('orders', { addresses: ['10.0.0.1', '2001:db8::1'] });
const web = 'spiffe://example.org/ns/shop/sa/web';
const head = formatRecordsHead({ sample: 5, forgotten: { calls: 3, until: at(0) } });

async function* linesOf(lines: readonly string[]) {
  yield* lines;
}
const read = (lines: readonly string[], since?: Date, workloads = [orders]) =>
  readRecordLines(linesOf(lines), { workloads, since });

describe('this program’s own records', () => {
  test('are read as they were written', async () => {
    const records = [
      decisionRecord(),
      decisionRecord({
        serviceAccount: undefined,
        labels: {},
        caller: undefined,
        addresses: [],
        method: undefined,
        path: undefined,
        host: undefined,
        serverName: undefined,
        decision: 'denied',
        refusedBy: 'token',
        policy: undefined,
        rule: undefined,
        lacks: ['caller', 'path'],
      }),
    ];
    expect(await read([head, ...records.map(formatRecord), ''])).toStrictEqual({
      head: { sample: 5, forgotten: { calls: 3, until: at(0) } },
      records,
      faults: [],
      faulty: 0,
      passedOver: 0,
    });
  });

  test('only those since a time', async () => {
    const lines = [2, 3].map((seconds) => formatRecord(decisionRecord({ last: at(seconds) })));
    expect((await read([head, ...lines], at(3))).records).toMatchObject([{ last: at(3) }]);
  });

  test.each<[string, Readonly<Record<string, unknown>>]>([
    ['caller: is no SPIFFE ID', { caller: 'https://example.org/web' }],
    ['caller: is no SPIFFE ID', { caller: 'spiffe://example.org/ns/*' }],
    ['addresses.0: is no address', { addresses: ['10.0.0.1/8'] }],
    ['path', { path: 'orders' }],
    ['path', { path: `/${'a'.repeat(1024)}` }],
    ['count', { count: 0 }],
    ['count', { count: 1.5 }],
    ['port', { port: 65_536 }],
    ['transport', { transport: 'ipsec' }],
    ['last', { last: 'yesterday' }],
    ['Unrecognized key', { header: 'x' }],
    ['refusedBy: belongs to what was denied', { refusedBy: 'token' }],
    ['refusedBy: belongs to what was denied', { decision: 'denied' }],
    ['lacks: says that there is no path', { lacks: ['path'] }],
  ])('a line is refused for its %s, and takes no other with it', async (message, changes) => {
    const broken = JSON.stringify({ ...decisionRecord(), ...changes });
    const { records, faults, faulty } = await read([head, broken, formatRecord(decisionRecord())]);
    expect(records).toHaveLength(1);
    expect(faulty).toBe(1);
    expect(faults).toMatchObject([{ line: 2, message: expect.stringContaining(message) }]);
  });

  test('shows the first faults, and counts all', async () => {
    const { faults, faulty } = await read([head, ...Array.from({ length: 9 }, () => '{}')]);
    expect(faults.map(({ line }) => line)).toStrictEqual([2, 3, 4, 5, 6]);
    expect(faulty).toBe(9);
  });

  test('of a broken head nothing is guessed', async () => {
    await expect(
      read([head.replace('"sample":5', '"sample":500'), formatRecord(decisionRecord())]),
    ).rejects.toThrow('sample');
  });

  test('of nothing there is nothing', async () => {
    expect(await read([])).toMatchObject({ records: [], faulty: 0 });
  });
});

describe('Istio’s JSON access log', () => {
  const line = (changes: Readonly<Record<string, unknown>> = {}) =>
    JSON.stringify({
      start_time: '2030-01-01T00:00:01.000Z',
      method: 'GET',
      path: '/orders//1?token=secret',
      protocol: 'HTTP/1.1',
      authority: 'orders.shop',
      response_code: 200,
      response_code_details: 'via_upstream',
      connection_termination_details: null,
      upstream_cluster: 'inbound|8080||',
      requested_server_name: 'outbound_.80_._.orders.shop.svc.cluster.local',
      downstream_local_address: '10.0.0.1:8080',
      downstream_remote_address: '10.0.0.9:40000',
      downstream_peer_uri_san: web,
      ...changes,
    });
  const one = async (changes: Readonly<Record<string, unknown>>) => (await read([line(changes)])).records;

  test('alike calls are one record', async () => {
    const { records } = await read([line(), line({ start_time: '2030-01-01T00:00:09Z', path: '/orders/1' })]);
    expect(records).toStrictEqual([
      {
        workload: orders.id,
        serviceAccount: 'orders',
        labels: { app: 'orders' },
        port: 8080,
        transport: 'mtls',
        caller: web,
        addresses: [],
        method: 'GET',
        path: '/orders/1',
        host: 'orders.shop',
        serverName: 'outbound_.80_._.orders.shop.svc.cluster.local',
        decision: 'allowed',
        refusedBy: undefined,
        policy: undefined,
        rule: undefined,
        sampled: false,
        lacks: ['address'],
        period: at(0),
        first: at(1),
        last: at(9),
        count: 2,
      },
    ]);
  });

  test.each<[string, Readonly<Record<string, unknown>>, Partial<DecisionRecord>]>([
    [
      'a denial',
      {
        response_code_details: 'rbac_access_denied_matched_policy[ns[shop]-policy[no-cron]-rule[1]]',
        upstream_cluster: null,
      },
      { decision: 'denied', refusedBy: 'policies', policy: 'shop/no-cron', rule: 1 },
    ],
    [
      'a denial by none',
      { response_code_details: 'rbac_access_denied_matched_policy[none]' },
      { decision: 'denied', policy: undefined },
    ],
    [
      'a bad token',
      { response_code_details: 'jwt_authn_access_denied{Jwt_is_expired}' },
      { refusedBy: 'token' },
    ],
    ['an authorizer', { response_code_details: 'ext_authz_denied' }, { refusedBy: 'authorizer' }],
    [
      'a denied connection',
      {
        method: null,
        path: null,
        response_code_details: null,
        connection_termination_details: 'rbac_access_denied_matched_policy[none]',
      },
      { decision: 'denied', method: undefined, path: undefined },
    ],
    [
      'a connection',
      { method: null, path: '-', response_code_details: '-' },
      { decision: 'allowed', lacks: ['address'] },
    ],
    [
      'a proxied failure',
      { response_code_details: 'upstream_reset_before_response_started{x}' },
      { decision: 'allowed' },
    ],
    [
      'a caller that is not logged',
      { downstream_peer_uri_san: undefined },
      { transport: 'mtls', caller: undefined, lacks: ['caller', 'address'] },
    ],
    [
      'plaintext',
      { downstream_peer_uri_san: '-', requested_server_name: null },
      { transport: 'plaintext', lacks: ['address'] },
    ],
    [
      'nothing of the connection',
      { downstream_peer_uri_san: undefined, requested_server_name: null },
      { lacks: ['caller', 'transport', 'address'] },
    ],
    [
      'its own address',
      { downstream_direct_remote_address: '10.0.0.9:1' },
      { addresses: ['10.0.0.9'], lacks: [] },
    ],
    ['IPv6', { downstream_local_address: '[2001:db8::1]:8080' }, { port: 8080 }],
    [
      'a port that nobody declares',
      { downstream_local_address: '10.0.0.1:1' },
      { port: 0, lacks: ['port', 'address'] },
    ],
    ['a path that no policy compares', { path: '/a%00' }, { path: undefined, lacks: ['path', 'address'] }],
  ])('reads %s', async (_, changes, expected) => {
    expect(await one(changes)).toMatchObject([expected]);
  });

  test.each<[string, Readonly<Record<string, unknown>>]>([
    ['a call of its own', { upstream_cluster: 'outbound|80||other' }],
    ['what it answered before policies were asked', { response_code_details: 'path_normalization_failed' }],
    ['a listener without a chain', { upstream_cluster: null, method: null, response_code_details: null }],
  ])('passes over %s', async (_, changes) => {
    expect(await read([line(), line(changes)])).toMatchObject({
      passedOver: 1,
      faulty: 0,
      records: [{ count: 1 }],
    });
  });

  test.each<[string, Readonly<Record<string, unknown>>]>([
    ['no workload has the address 10.0.0.2', { downstream_local_address: '10.0.0.2:8080' }],
    ['is no address with a port', { downstream_local_address: '10.0.0.1' }],
    ['is no SPIFFE ID', { downstream_peer_uri_san: 'web' }],
    ['start_time', { start_time: 'now' }],
    ['path', { path: 7 }],
  ])('refuses a line: %s', async (message, changes) => {
    const { faults, records } = await read([line(), line(changes)]);
    expect(faults).toMatchObject([{ line: 2, message: expect.stringContaining(message) }]);
    expect(records).toMatchObject([{ count: 1 }]);
  });

  test.each([
    ['a proxy’s own words', '2030-01-01T00:00:00Z\tinfo\tEnvoy proxy is ready'],
    ['a path that no proxy takes', line({ path: `/${'a'.repeat(65_536)}` })],
    ['two identities', line({ downstream_peer_uri_san: `${web},spiffe://example.org/ns/shop/sa/x` })],
  ])('%s before the first line, or behind it, takes no other with it', async (_, broken) => {
    const workloads = new Map([[orders.id, orders]]).values();
    const lines = linesOf([broken, line(), broken, line()]);
    expect(await readRecordLines(lines, { workloads, since: undefined })).toMatchObject({
      faulty: 2,
      records: [{ count: 2 }],
    });
  });

  test('a mark of its byte order before it is none of it', async () => {
    expect(await read([`\uFEFF${line()}`])).toMatchObject({ faulty: 0, records: [{ count: 1 }] });
    expect(await read([`\uFEFF${head}`, formatRecord(decisionRecord())])).toMatchObject({
      head: { sample: 5 },
    });
  });

  test('an address of several workloads is told apart by the port, or by nothing', async () => {
    const other = workload('other', { addresses: ['10.0.0.1'], ports: [] });
    expect((await read([line()], undefined, [orders, other])).records).toMatchObject([
      { workload: orders.id },
    ]);
    const same = workload('same', { addresses: ['10.0.0.1'] });
    await expect(read([line()], undefined, [orders, same])).rejects.toThrow('more than one workload');
  });
});
