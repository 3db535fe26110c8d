/**
 * A place outside of the store that keeps checkpoints of the audit record, out of reach of who can write the store.
 * One server writes to it.
 */
export interface CheckpointPlace {
  /** `file`, `stdout`, `vault`; one of each at most. */
  readonly name: string;
  /**
   * The last note that is kept there; undefined where none ever was. Absent where what was written cannot be read back.
   * @throws CitadelError Unavailable while it cannot be reached; DataLoss where what was there is gone or damaged
   */
  readonly last?: (signal: AbortSignal) => Promise<string | undefined>;
  /**
   * Durable when it resolves.
   * @param after what `last` gave: nothing is written where something else has been written meanwhile
   * @throws CitadelError Aborted in that case; Unavailable while it cannot be reached
   */
  put(note: string, after: string | undefined, signal: AbortSignal): Promise<void>;
  close(): Promise<void>;
}
