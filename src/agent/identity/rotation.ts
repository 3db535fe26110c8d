import {
  type BackoffOptions,
  backoffDelay,
  type Clock,
  type Entropy,
  isRetryable,
  type Log,
  toCitadelError,
} from '../../kernel/index.ts';
import type { CertificateRequester } from './ca-client.ts';
import type { Identity } from './identity.ts';
import { type RenewalWindow, renewalTime, renewalTimeInWindow } from './renewal.ts';
import type { IdentityState } from './state.ts';

export interface RotationDependencies {
  readonly requester: CertificateRequester;
  readonly state: IdentityState;
  readonly clock: Clock;
  readonly entropy: Entropy;
  readonly log: Log;
  readonly backoff: BackoffOptions;
  readonly refusedBackoff: BackoffOptions;
}

/**
 * Keeps a certificate at hand: the first as soon as the server gives one, then a new one, with a new key, in time. While
 * there is none newer the old one stays; it is taken from nobody, not even when it has expired.
 */
export class Rotation {
  readonly #deps: RotationDependencies;
  #window: RenewalWindow | undefined;
  #wake = new AbortController();
  #renewNow = false;

  constructor(dependencies: RotationDependencies) {
    this.#deps = dependencies;
  }

  /** The server's wish for the certificate at hand. */
  setWindow(window: RenewalWindow | undefined): void {
    if (sameWindow(window, this.#window)) return;
    this.#window = window;
    this.#wake.abort();
  }

  /** Renews at once, with a new key; for an order to re-key. */
  renewNow(): void {
    this.#renewNow = true;
    this.#wake.abort();
  }

  /** Runs until `signal` is aborted. */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const { identity } = this.#deps.state.snapshot;
      if (identity !== undefined) await this.#waitUntilDue(identity, signal);
      if (!signal.aborted) await this.#renew(identity, signal);
    }
  }

  async #waitUntilDue(identity: Identity, signal: AbortSignal): Promise<void> {
    const { clock, entropy, log } = this.#deps;
    const fraction = entropy.fraction();
    let announced: number | undefined;
    while (!signal.aborted && !this.#renewNow) {
      const due =
        this.#window === undefined
          ? renewalTime(usableFrom(identity), identity.notAfter, fraction)
          : renewalTimeInWindow(this.#window, usableFrom(identity), identity.notAfter, fraction);
      const left = due.getTime() - clock.now().getTime();
      if (left <= 0) return;
      if (announced !== due.getTime())
        log.info('next renewal', { at: due.toISOString(), serial: identity.serial });
      announced = due.getTime();
      await this.#sleep(left, signal);
    }
  }

  async #renew(current: Identity | undefined, signal: AbortSignal): Promise<void> {
    const { requester, state, clock, log } = this.#deps;
    for (let attempt = 0; !signal.aborted; attempt += 1) {
      this.#renewNow = false;
      try {
        const { identity, bundle } = await requester.request(current, signal);
        this.#window = undefined;
        state.setIdentity(identity, bundle);
        log.info(current === undefined ? 'first certificate' : 'certificate renewed', {
          spiffeId: identity.id.toString(),
          serial: identity.serial,
          notAfter: identity.notAfter.toISOString(),
          bundleVersion: bundle.version,
        });
        return;
      } catch (error) {
        if (signal.aborted) return;
        const delay = this.#explain(error, attempt, current, clock.now());
        await this.#sleep(delay, signal);
      }
    }
  }

  /** Logs a failed attempt. @returns milliseconds until the next */
  #explain(error: unknown, attempt: number, current: Identity | undefined, now: Date): number {
    const { backoff, refusedBackoff, entropy, log } = this.#deps;
    const failure = toCitadelError(error);
    const mayMend = isRetryable(failure.code) || failure.code === 'FailedPrecondition';
    const delay = backoffDelay(attempt, mayMend ? backoff : refusedBackoff, entropy);
    const fields = {
      code: failure.code,
      reason: failure.message,
      details: failure.details,
      retryInMilliseconds: Math.round(delay),
      ...(current === undefined ? {} : { serial: current.serial, notAfter: current.notAfter.toISOString() }),
    };
    if (current !== undefined && current.notAfter <= now) {
      log.error(
        'the certificate has EXPIRED and cannot be renewed; what was handed out stays, new consumers get none',
        fields,
      );
    } else if (mayMend) {
      log.warn('no certificate yet, will try again', fields);
    } else {
      log.error(
        'the server refuses to give a certificate; check the token, its audience and the registration',
        fields,
      );
    }
    return delay;
  }

  async #sleep(milliseconds: number, signal: AbortSignal): Promise<void> {
    this.#wake = new AbortController();
    if (this.#renewNow) return;
    await this.#deps.clock
      .sleep(milliseconds, AbortSignal.any([signal, this.#wake.signal]))
      .catch(() => undefined);
  }
}

function sameWindow(a: RenewalWindow | undefined, b: RenewalWindow | undefined): boolean {
  return a?.start.getTime() === b?.start.getTime() && a?.end.getTime() === b?.end.getTime();
}

/** A short-lived leaf may be back-dated by more than it lives: half of its life is counted from when we had it. */
function usableFrom({ notBefore, receivedAt }: Identity): Date {
  return notBefore > receivedAt ? notBefore : receivedAt;
}
