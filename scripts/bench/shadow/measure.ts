import type { Load } from './load-client.ts';
import { processorTime } from './processor-time.ts';

/** Milliseconds after a change in which nothing is counted. */
const warmUp = 500;

export interface Measured {
  readonly perSecond: number;
  /** Milliseconds. */
  readonly p50: number;
  readonly p99: number;
  /** Microseconds of Envoy's CPU a request. */
  readonly cpu: number;
}

export async function measure(
  { load, envoy }: { readonly load: Load; readonly envoy: number },
  seconds: number,
): Promise<Measured> {
  const before = await processorTime(envoy);
  const { requests, elapsed, latencies } = await load.measure(warmUp, seconds * 1000);
  const after = await processorTime(envoy);
  const sorted = latencies.toSorted();
  const at = (part: number) => sorted[Math.floor(part * (sorted.length - 1))] ?? Number.NaN;
  // The CPU is of the warm-up too, in which as many are answered.
  const all = requests * (1 + warmUp / elapsed);
  return {
    perSecond: (requests / elapsed) * 1000,
    p50: at(0.5),
    p99: at(0.99),
    cpu: (after - before) / all,
  };
}
