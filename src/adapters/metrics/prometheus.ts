import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import type { AuthorityMetricKind, IssuanceFailure, Metrics } from '../../domain/ports/index.ts';
import type { Clock } from '../../kernel/index.ts';
import { createCheckpointMetrics } from './checkpoints.ts';
import { createDiscoveryMetrics } from './discovery.ts';
import { createEnforcementMetrics } from './enforcement.ts';
import { createIstioAliases } from './istio-aliases.ts';
import { createKeySetMetrics } from './key-sets.ts';
import { createMeshSourceMetrics } from './mesh-sources.ts';
import { createRenewalMetrics } from './renewals.ts';
import { createRotationMetrics } from './rotation.ts';

export interface PrometheusMetrics extends Metrics {
  readonly contentType: string;
  /** In Prometheus' text format. */
  expose(): Promise<string>;
}

/** From 0.1 ms, an in-process signature, to 10 s, a slow review. */
const latencySeconds = [
  0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10,
];

/** One registry of its own a call, so that two servers in one process do not mix. */
export function createMetrics(clock: Clock, options: { readonly process?: boolean } = {}): PrometheusMetrics {
  const registry = new Registry();
  const registers = [registry];
  if (options.process ?? true) collectDefaultMetrics({ register: registry });
  const aliases = createIstioAliases(registry, clock);
  const stages = new Histogram({
    name: 'citadel_issuance_stage_seconds',
    help: 'Duration of one stage of an issuance',
    labelNames: ['stage'],
    buckets: latencySeconds,
    registers,
  });
  const issuances = new Counter({
    name: 'citadel_issuances_total',
    help: 'Requests for a certificate that ended, by outcome, cause and gRPC code',
    labelNames: ['outcome', 'failure', 'code'],
    registers,
  });
  const ends = new Map<AuthorityMetricKind, Date>();
  const expiry = new Gauge({
    name: 'citadel_authority_expiry_seconds',
    help: 'Seconds until the first authority of this kind that is in use ends',
    labelNames: ['kind'],
    registers,
    collect: () => {
      for (const [kind, end] of ends) expiry.set({ kind }, secondsUntil(end, clock));
    },
  });
  const queue = new Gauge({
    name: 'citadel_store_queue_length',
    help: 'Writes waiting for their commit',
    registers,
  });
  const open = new Gauge({
    name: 'citadel_open_streams',
    help: 'Open gRPC streams by service',
    labelNames: ['service'],
    registers,
  });
  const homes = new Gauge({
    name: 'citadel_key_home_up',
    help: 'Whether the home of a key answers (1) or not (0)',
    labelNames: ['backend'],
    registers,
  });
  const calls = new Counter({
    name: 'citadel_operator_calls_total',
    help: 'Operator API calls by method and gRPC code',
    labelNames: ['method', 'code'],
    registers,
  });
  const refusedEntries = new Counter({
    name: 'citadel_access_log_refused_total',
    help: 'Entries of proxies’ access logs that could not be read',
    registers,
  });
  return {
    ...createDiscoveryMetrics(registry),
    ...createKeySetMetrics(registry, clock),
    ...createMeshSourceMetrics(registry, clock),
    ...createEnforcementMetrics(registry),
    ...createRenewalMetrics(registry, clock),
    ...createRotationMetrics(registry, clock),
    ...createCheckpointMetrics(registry, clock),
    contentType: registry.contentType,
    expose: () => registry.metrics(),
    issuanceStarted: () => aliases.requests.inc(),
    issuanceStage: (stage, milliseconds) => stages.observe({ stage }, milliseconds / 1000),
    issuanceSucceeded: () => {
      issuances.inc({ outcome: 'issued', failure: '', code: 'OK' });
      aliases.successes.inc();
    },
    issuanceFailed: (failure, code) => {
      issuances.inc({ outcome: outcomeOf(failure), failure, code });
      aliases.failures[failure]?.inc();
    },
    authorityExpires: (kind, notAfter) => {
      ends.set(kind, notAfter);
      aliases.setExpiry(kind, notAfter);
    },
    storeQueue: (length) => queue.set(length),
    streams: (service, count) => open.set({ service }, count),
    keyHome: (backend, available) => homes.set({ backend }, available ? 1 : 0),
    accessLogRefused: (entries) => refusedEntries.inc(entries),
    operatorCall: (method, code) => calls.inc({ method, code }),
  };
}

/** What the caller got wrong is refused; what we could not do has failed. */
function outcomeOf(failure: IssuanceFailure): 'refused' | 'failed' {
  return failure === 'signing' || failure === 'store' ? 'failed' : 'refused';
}

function secondsUntil(end: Date, clock: Clock): number {
  return (end.getTime() - clock.now().getTime()) / 1000;
}
