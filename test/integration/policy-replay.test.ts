import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { formatRecord, formatRecordsHead } from '../../src/domain/records/index.ts';
import { decisionRecord } from '../contract/store-samples.ts';
import { runCitadel } from '../support/citadel.ts';
import { registryText } from '../support/registry.ts';
import { startTestServer, type TestServer } from '../support/server.ts';

const noDeletes = `apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {namespace: shop, name: no-deletes}
spec: {action: DENY, rules: [{to: [{operation: {methods: [DELETE]}}]}]}
`;
const web = 'spiffe://example.org/ns/shop/sa/web';
const orders = { workload: 'files/shop/orders', port: 8080 };

let server: TestServer;
const file = (name: string, text: string) => {
  writeFileSync(join(server.directory, name), text);
  return name;
};
/** @param line words, of which none has blanks in it */
const citadel = (line: string) =>
  runCitadel(['policy', ...line.split(' ')], { directory: server.directory, home: 'home' });
const socket = () => `--socket ${join(server.directory, 'operator.sock')}`;
const replayOffline =
  'replay --candidate candidate.yaml --registry registry --trust-domain example.org --records';

beforeAll(async () => {
  server = await startTestServer((directory) => {
    mkdirSync(join(directory, 'registry'));
    const ports = [{ port: 8080, application: 9080 }];
    writeFileSync(join(directory, 'registry', 'shop.yaml'), registryText([{ name: 'orders', ports }]));
    return { mesh: { sources: { files: { directory: join(directory, 'registry') } } } };
  });
  file('candidate.yaml', noDeletes);
});
afterAll(() => server.stop());

describe('citadel policy records and replay', () => {
  it('with the records of a server, and with those that were taken away from it', async () => {
    const now = new Date();
    const times = { period: now, first: now, last: now };
    const old = new Date(now.getTime() - 2 * 86_400_000);
    await server.app.store.decisions.save([
      decisionRecord({ ...orders, ...times, method: 'DELETE', path: '/orders/42', count: 7 }),
      decisionRecord({ ...orders, ...times, method: 'GET', count: 30 }),
      decisionRecord({
        ...orders,
        ...times,
        method: undefined,
        path: undefined,
        lacks: ['method', 'path'],
        count: 2,
      }),
      decisionRecord({
        ...orders,
        path: '/denied',
        period: old,
        first: old,
        last: old,
        decision: 'denied',
        refusedBy: 'policies',
      }),
      decisionRecord({
        ...orders,
        workload: 'files/shop/other',
        serviceAccount: 'other',
        path: '/x',
        period: old,
        first: old,
        last: old,
        decision: 'denied',
        refusedBy: 'policies',
      }),
      decisionRecord({ ...orders, path: '/old', period: old, first: old, last: old, method: 'DELETE' }),
    ]);
    const listed = await citadel(`records --since 24h ${socket()}`);
    expect(listed).toMatchObject({ code: 0, stderr: '' });
    expect(listed.stdout).toMatch(
      /orders +8080 +spiffe:\/\/example.org\/ns\/shop\/sa\/web +DELETE \/orders\/42 +\S+ +allowed/,
    );
    expect(listed.stdout).toContain('(not kept) (not kept)');
    expect(listed.stdout).not.toContain('/old');
    const some = await citadel(`records --to shop/orders --denied -o json ${socket()}`);
    expect(JSON.parse(some.stdout)).toMatchObject([{ path: '/denied' }]);

    const replayed = await citadel(`replay --candidate candidate.yaml --since 24h ${socket()}`);
    expect(replayed).toMatchObject({ code: 1, stderr: '' });
    expect(replayed.stdout).toContain(
      '39 calls in 3 different ways recorded. 30 calls would be decided as before.',
    );
    expect(replayed.stdout).toMatch(
      /denied +7 +spiffe:\S+\/web +shop\/orders:8080 +no policy decides it +DENY shop\/no-deletes, rule 0/,
    );
    expect(replayed.stdout).toContain('2 calls: method');

    const taken = await citadel(`records -o jsonl ${socket()}`);
    const again = await citadel(`${replayOffline} ${file('records.jsonl', taken.stdout)} -o json`);
    expect(again.code).toBe(1);
    expect(JSON.parse(again.stdout)).toMatchObject({
      total: { records: 6, calls: 54 },
      changes: [{ caller: web, becomes: 'denied', calls: 12 }],
      sample: 1,
    });
  });

  it('is content where nothing would be decided otherwise', async () => {
    const own = [
      formatRecordsHead({ sample: 1, forgotten: undefined }),
      formatRecord(decisionRecord(orders)),
    ];
    const done = await citadel(`${replayOffline} ${file('fine.jsonl', own.join('\n'))}`);
    expect(done).toMatchObject({ code: 0, stderr: '' });
    expect(done.stdout).toContain('No recorded call would be decided otherwise.');
  });

  it('reads a callee’s Istio access log, and tells the lines that it cannot read', async () => {
    const line = (more: object) =>
      JSON.stringify({
        start_time: '2026-11-28T12:00:00.123Z',
        method: 'DELETE',
        path: '/orders/42?token=secret',
        authority: 'orders.shop',
        response_code: 200,
        response_code_details: 'via_upstream',
        upstream_cluster: 'inbound|8080||',
        requested_server_name: 'outbound_.80_._.orders.shop.svc.cluster.local',
        downstream_local_address: '127.0.0.1:8080',
        downstream_remote_address: '10.0.0.9:40000',
        downstream_peer_uri_san: web,
        ...more,
      });
    const log = [line({}), line({}), 'what is this', line({ upstream_cluster: 'outbound|80||other' })];
    const done = await citadel(`${replayOffline} ${file('access.log', log.join('\n'))}`);
    expect(done.code).toBe(1);
    expect(done.stdout).toMatch(/denied +2 +spiffe:\S+\/web +shop\/orders:8080/);
    expect(done.stdout).toContain('Note: line 3: is no JSON.');
    expect(done.stdout).toContain('Note: 1 line is no decision on a call to a workload.');
    expect(done.stdout).not.toContain('secret');
  });

  it('refuses what is no candidate and what are no records', async () => {
    const candidate = file('broken.yaml', noDeletes.replace('methods', 'method'));
    const broken = await citadel(`replay --candidate ${candidate} --registry registry --records none`);
    expect(broken.code).toBe(2);
    expect(broken.stderr).toContain('broken.yaml');
    const garbage = await citadel(`${replayOffline} ${file('garbage', 'a\nb\n')}`);
    expect(garbage).toMatchObject({ code: 2, stdout: '' });
    expect(garbage.stderr).toContain('no line can be read; line 1: is no JSON');
  });
});
