import type { Log, LogFields } from '../../../src/kernel/index.ts';

/** Counts what a fleet's agents warn of, by what they say and why. */
export class Complaints {
  readonly #counts = new Map<string, number>();

  readonly log: Log = {
    debug: () => undefined,
    info: () => undefined,
    warn: (message, fields) => this.#note(message, fields),
    error: (message, fields) => this.#note(message, fields),
    with: () => this.log,
  };

  /** The most frequent first, since the last time. */
  take(): readonly (readonly [complaint: string, count: number])[] {
    const taken = [...this.#counts].toSorted(([, a], [, b]) => b - a);
    this.#counts.clear();
    return taken;
  }

  #note(message: string, { code, reason }: LogFields = {}): void {
    const said = [message, code, reason].filter((part) => typeof part === 'string').join('; ');
    this.#counts.set(said, (this.#counts.get(said) ?? 0) + 1);
  }
}
