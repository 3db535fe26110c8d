/** Thrown where the work is more than was granted; whoever asked answers `undecided`. */
export class TooMuch extends Error {
  /** The literals that the work was about. */
  readonly literals: readonly number[];

  constructor(literals: readonly number[]) {
    super('more steps than were granted');
    this.literals = literals;
  }
}

/** Counts steps, so that no set of policies, however it was made, takes more time or memory than was granted. */
export class Budget {
  /** The literals that are being looked at. */
  about: readonly number[] = [];
  #total: number;
  #left = 0;

  constructor(total: number) {
    this.#total = total;
  }

  /** Begins another piece of work, which may take no more than this. */
  grant(steps: number): void {
    this.about = [];
    this.#total += this.#left;
    this.#left = Math.min(steps, Math.max(this.#total, 0));
    this.#total -= this.#left;
  }

  /** Undefined where the work takes more than this: what it took is spent, and what is left is for another way. */
  attempt<T>(steps: number, work: () => T): T | undefined {
    const kept = Math.max(this.#left - steps, 0);
    this.#left -= kept;
    try {
      return work();
    } catch (error) {
      if (!(error instanceof TooMuch)) throw error;
      return undefined;
    } finally {
      this.#left = kept + Math.max(this.#left, 0);
    }
  }

  /** What may still be granted. */
  get left(): number {
    return this.#total + Math.max(this.#left, 0);
  }

  /** @throws TooMuch */
  spend(steps: number): void {
    this.#left -= steps;
    if (this.#left < 0) throw new TooMuch(this.about);
  }
}
