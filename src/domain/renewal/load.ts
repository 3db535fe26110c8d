import type { Clock } from '../../kernel/index.ts';
import type { Metrics } from '../ports/index.ts';

/** What a server signs, as measured of late. */
export interface SigningLoad {
  /** Requests begun and not ended. */
  readonly inFlight: number;
  /** Requests that ended in the time looked at, with a certificate or without. */
  readonly ended: number;
  /** What one of these took, attestation and durable record included: milliseconds. */
  readonly meanMilliseconds: number;
}

/** Many of what is quick: on one core a server signs some hundreds a second over new connections. */
const manyInFlight = 64;
/** An idle server takes a few milliseconds; at this, others have to wait before each of its steps. */
const slowMilliseconds = 250;
/** Fewer say nothing: one slow token review is not load. */
const fewest = 10;

/** Whether a server has more to sign than it can at once. */
export function isBusy({ inFlight, ended, meanMilliseconds }: SigningLoad): boolean {
  return inFlight >= manyInFlight || (ended >= fewest && meanMilliseconds >= slowMilliseconds);
}

/** What is looked back at: long enough for a mean, short enough to see a burst while it lasts. */
const bucketMilliseconds = 500;
const buckets = 3;

interface Bucket {
  index: number;
  ended: number;
  milliseconds: number;
}

/** Measures what passes through the issuance service, from what it tells the monitoring. */
export class SigningMeter {
  readonly #clock: Clock;
  readonly #ring: Bucket[] = Array.from({ length: buckets }, () => ({
    index: -1,
    ended: 0,
    milliseconds: 0,
  }));
  #inFlight = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Hands on what it is told. */
  measuring(metrics: Metrics): Metrics {
    return {
      ...metrics,
      issuanceStarted: () => {
        this.#inFlight += 1;
        metrics.issuanceStarted();
      },
      issuanceStage: (stage, milliseconds) => {
        if (stage === 'total') this.#ended(milliseconds);
        metrics.issuanceStage(stage, milliseconds);
      },
    };
  }

  load(): SigningLoad {
    const now = this.#index();
    const recent = this.#ring.filter(({ index }) => index > now - buckets && index <= now);
    const ended = recent.reduce((sum, bucket) => sum + bucket.ended, 0);
    const milliseconds = recent.reduce((sum, bucket) => sum + bucket.milliseconds, 0);
    return { inFlight: this.#inFlight, ended, meanMilliseconds: ended === 0 ? 0 : milliseconds / ended };
  }

  #ended(milliseconds: number): void {
    this.#inFlight -= 1;
    const index = this.#index();
    const bucket = this.#ring[((index % buckets) + buckets) % buckets];
    if (bucket === undefined) return;
    if (bucket.index !== index) Object.assign(bucket, { index, ended: 0, milliseconds: 0 });
    bucket.ended += 1;
    bucket.milliseconds += milliseconds;
  }

  #index(): number {
    return Math.floor(this.#clock.now().getTime() / bucketMilliseconds);
  }
}
