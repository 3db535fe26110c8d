/** What was known at a time. */
export interface Archived {
  /** As JSON can write it. */
  readonly content: unknown;
  readonly at: Date;
}

/** Remembers over a restart what somebody else said, who may then be away, or say something broken. */
export interface Archive {
  /** @throws CitadelError DataLoss where what is kept cannot be believed: damaged, another's, or open to other users */
  load(id: string): Promise<Archived | undefined>;
  /** Durable when it resolves. @throws CitadelError ResourceExhausted for more than is kept, or a full disk */
  save(id: string, archived: Archived): Promise<void>;
  /** Forgets all others. */
  retain(ids: ReadonlySet<string>): Promise<void>;
}
