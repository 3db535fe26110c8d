import { Counter, Gauge, type Registry } from 'prom-client';
import type { Metrics } from '../../domain/ports/index.ts';
import type { Clock } from '../../kernel/index.ts';

/** When workloads renew, and how far those under tainted authorities are with new keys. */
export function createRenewalMetrics(
  registry: Registry,
  clock: Clock,
): Pick<Metrics, 'reKeying' | 'renewalsPutOff'> {
  const registers = [registry];
  const agents = new Gauge({
    name: 'citadel_rekey_agents',
    help: 'Agents under tainted authorities: waiting for the order to make a new key, ordered, or back with one',
    labelNames: ['state'],
    registers,
  });
  const rate = new Gauge({
    name: 'citadel_rekey_per_second',
    help: 'Agents a second that came back with a new key of late',
    registers,
  });
  let expectedEnd: Date | undefined = new Date(0);
  const left = new Gauge({
    name: 'citadel_rekey_seconds_left',
    help: 'Seconds until the last agent with a stream is back with a new key, at the rate of late; NaN while it is not known',
    registers,
    collect: () => {
      left.set(
        expectedEnd === undefined
          ? Number.NaN
          : Math.max(0, (expectedEnd.getTime() - clock.now().getTime()) / 1000),
      );
    },
  });
  const putOff = new Counter({
    name: 'citadel_renewals_put_off_total',
    help: 'Agents that were asked to renew later, since the server was busy',
    registers,
  });
  return {
    reKeying: (counts) => {
      for (const state of ['waiting', 'ordered', 'followed'] as const) agents.set({ state }, counts[state]);
      rate.set(counts.perSecond);
      expectedEnd = counts.expectedEnd;
    },
    renewalsPutOff: (count) => putOff.inc(count),
  };
}
