/** Where an issuer's keys are: at an address that the author of a policy names, or where its discovery document says. */
export type KeySetLocation =
  | { readonly kind: 'jwks'; readonly uri: string }
  | { readonly kind: 'openid'; readonly issuer: string };

/** Reads key sets from wherever an author says, within what the operator allows. */
export interface JwksSource {
  /** Whether the operator lets it be asked there at all. */
  allows(location: KeySetLocation): boolean;
  /**
   * One look: the text that is there, of bounded size.
   * @throws CitadelError that says what is wrong, for the operator, and nothing of what was answered: an author must not
   * learn by it what stands at an address
   */
  fetch(location: KeySetLocation, signal: AbortSignal): Promise<string>;
}

/** Keys as they were when they were last fetched. */
export interface KeptKeySet {
  readonly jwks: string;
  readonly fetchedAt: Date;
}

/** Remembers keys over a restart, at which the provider may be away. */
export interface KeySetArchive {
  load(id: string): Promise<KeptKeySet | undefined>;
  save(id: string, kept: KeptKeySet): Promise<void>;
  /** Forgets all others. */
  retain(ids: ReadonlySet<string>): Promise<void>;
}
