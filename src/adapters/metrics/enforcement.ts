import { Gauge, type Registry } from 'prom-client';
import type { Metrics } from '../../domain/ports/index.ts';

/** The way to strict mutual TLS. */
export function createEnforcementMetrics(registry: Registry): Pick<Metrics, 'enforcement'> {
  const registers = [registry];
  const runs = new Gauge({
    name: 'citadel_mtls_enforcement_runs',
    help: 'Orders to make workloads strict: running, halted (an operator has to look) or done',
    labelNames: ['state'],
    registers,
  });
  const workloads = new Gauge({
    name: 'citadel_mtls_enforced_workloads',
    help: 'Workloads that take mutual TLS alone by such an order',
    registers,
  });
  return {
    enforcement: (counts) => {
      for (const state of ['running', 'halted', 'done'] as const) runs.set({ state }, counts[state]);
      workloads.set(counts.workloads);
    },
  };
}
