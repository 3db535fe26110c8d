/** One time at which proxies were told to end what is open. */
export interface DrainOrder {
  /** One more than that of the order before; the first is 1. */
  readonly generation: number;
  /** What it was for, as in `taint/FINGERPRINT/all`; nothing is drained for the same cause twice. */
  readonly cause: string;
  readonly at: Date;
}

export interface DrainStore {
  /** Oldest first. */
  list(): Promise<readonly DrainOrder[]>;
  /** @returns the order of this cause, new or as it was */
  add(cause: string, at: Date): Promise<DrainOrder>;
}
