import type { ProxyCounters, WorkloadEvidence } from '../../../../src/domain/evidence/index.ts';
import type { AccessLogEntry } from '../../../../src/domain/ports/index.ts';

/** So many seconds after an arbitrary moment. */
export const at = (seconds: number) => new Date(Date.UTC(2030, 0, 1) + seconds * 1000);

export function entry(changes: Partial<AccessLogEntry> = {}): AccessLogEntry {
  return {
    workload: 'files/shop/orders',
    port: 8080,
    transport: 'plaintext',
    callerId: undefined,
    callerAddress: '10.0.0.7',
    method: 'GET',
    path: '/',
    decision: 'allowed',
    unproved: false,
    policy: undefined,
    rule: undefined,
    reason: undefined,
    at: at(0),
    sampled: false,
    first: true,
    ...changes,
  };
}

export function counters(changes: Partial<ProxyCounters> = {}): ProxyCounters {
  return {
    startedAt: at(0),
    observedAt: at(100),
    flushed: 0,
    dropped: 0,
    warming: 0,
    draining: 0,
    drainTime: 600_000,
    ...changes,
  };
}

export function evidence(changes: Partial<WorkloadEvidence> = {}): WorkloadEvidence {
  return {
    workload: 'files/shop/orders',
    ports: new Map(),
    coverage: { since: at(0), reason: 'its proxy began to log then' },
    confirmedAt: at(7_190),
    brokenAt: undefined,
    counters: counters({ observedAt: at(7_190) }),
    ...changes,
  };
}
