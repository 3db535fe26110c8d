import { expect, test } from 'vitest';
import { countersOf, readServerInfo, readStats } from '../../../src/agent/envoy/counters.ts';

test('reads when Envoy began and how long it drains', () => {
  const info = { uptime_current_epoch: '83s', command_line_options: { drain_time: '600s' }, state: 'LIVE' };
  expect(readServerInfo(JSON.stringify(info))).toEqual({ uptime: 83_000, drainTime: 600_000 });
});

test('reads what was handed over, thrown away and still drains; what is not there is nothing', () => {
  const stats = [
    { name: 'access_logs.grpc_access_log.grpc_entries_flushed', value: 12 },
    { name: 'access_logs.grpc_access_log.logs_dropped', value: 1 },
    { name: 'access_logs.grpc_access_log.grpc_entries_flush_failed', value: 2 },
    { name: 'listener_manager.total_filter_chains_draining', value: 3 },
    { histograms: {} },
  ];
  expect(countersOf(readStats(JSON.stringify({ stats })))).toEqual({
    flushed: 12,
    dropped: 3,
    warming: 0,
    draining: 3,
  });
});

test.each(['', '[]', '{}', '{"uptime_current_epoch":"x"}'])('refuses %j', (body) => {
  expect(() => readServerInfo(body)).toThrow();
  expect(() => readStats(body)).toThrow();
});
