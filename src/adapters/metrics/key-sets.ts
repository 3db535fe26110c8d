import { Counter, Gauge, Histogram, type Registry } from 'prom-client';
import type { Metrics } from '../../domain/ports/index.ts';
import type { Clock } from '../../kernel/index.ts';

/** Up to the longest time that a look is given. */
const lookSeconds = [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

/** The keys that tokens are verified with. Not by address: authors choose those, and each would be a series. */
export function createKeySetMetrics(
  registry: Registry,
  clock: Clock,
): Pick<Metrics, 'keySetFetched' | 'keySets'> {
  const registers = [registry];
  const looks = new Counter({
    name: 'citadel_jwks_fetches_total',
    help: 'Looks at where issuers publish their keys, by outcome',
    labelNames: ['outcome'],
    registers,
  });
  const duration = new Histogram({
    name: 'citadel_jwks_fetch_seconds',
    help: 'Duration of one look at published keys',
    buckets: lookSeconds,
    registers,
  });
  const sets = new Gauge({
    name: 'citadel_jwks_sets',
    help: 'Key sets that policies want fetched: current, stale (the last look failed) or missing (tokens are refused)',
    labelNames: ['state'],
    registers,
  });
  let oldest: Date | undefined;
  const age = new Gauge({
    name: 'citadel_jwks_oldest_seconds',
    help: 'Age of the keys that were fetched longest ago',
    registers,
    collect: () => {
      age.set(oldest ? (clock.now().getTime() - oldest.getTime()) / 1000 : 0);
    },
  });
  return {
    keySetFetched: (succeeded, milliseconds) => {
      looks.inc({ outcome: succeeded ? 'fetched' : 'failed' });
      duration.observe(milliseconds / 1000);
    },
    keySets: (counts) => {
      for (const state of ['current', 'stale', 'missing'] as const) sets.set({ state }, counts[state]);
      oldest = counts.oldest;
    },
  };
}
