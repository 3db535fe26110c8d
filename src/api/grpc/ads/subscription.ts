import type { Request } from './request.ts';

/** What a request changed in what the client wants. */
export interface Interest {
  /** To be sent even if the client was sent it before: it may have dropped it. */
  readonly added: readonly string[];
  readonly removed: readonly string[];
  /** The wildcard began, or ended. */
  readonly wildcard: boolean;
}

/**
 * What a client wants of one type. xDS, "How the client specifies what resources to return": until a name was asked for,
 * nothing asked for means everything, where the type has a wildcard; afterwards it means nothing.
 */
export class Subscription {
  readonly names = new Set<string>();
  readonly #hasWildcard: boolean;
  #wildcard = false;
  #explicit = false;

  constructor(hasWildcard: boolean) {
    this.#hasWildcard = hasWildcard;
  }

  get wildcard(): boolean {
    return this.#wildcard;
  }

  wants(name: string): boolean {
    return this.#wildcard || this.names.has(name);
  }

  /** @param canonical gives the one string of a name that all streams share, so that a name is not kept for each */
  apply(request: Request, canonical: (name: string) => string): Interest {
    const interest = request.variant === 'sotw' ? this.#replace(request.names) : this.#change(request);
    for (const name of interest.removed) this.names.delete(name);
    for (const name of interest.added) this.names.add(canonical(name));
    return interest;
  }

  #replace(asked: readonly string[]): Interest {
    const wanted = new Set(asked);
    this.#explicit ||= wanted.size > 0;
    const star = this.#hasWildcard && wanted.delete('*');
    const wildcard = this.#setWildcard(star || (this.#hasWildcard && !this.#explicit));
    const removed = [...this.names].filter((name) => !wanted.has(name));
    const added = [...wanted].filter((name) => !this.names.has(name));
    return { added, removed, wildcard };
  }

  #change({
    subscribe,
    unsubscribe,
  }: {
    subscribe: readonly string[];
    unsubscribe: readonly string[];
  }): Interest {
    const isStar = (name: string) => this.#hasWildcard && name === '*';
    let wanted = this.#wildcard;
    // The legacy wildcard is the first request's alone.
    if (this.#hasWildcard && !this.#explicit && subscribe.length === 0 && unsubscribe.length === 0)
      wanted = true;
    this.#explicit = true;
    if (unsubscribe.some(isStar)) wanted = false;
    if (subscribe.some(isStar)) wanted = true;
    const removed = unsubscribe.filter((name) => !isStar(name));
    const added = subscribe.filter((name) => !isStar(name));
    return { added, removed, wildcard: this.#setWildcard(wanted) };
  }

  #setWildcard(wildcard: boolean): boolean {
    const changed = wildcard !== this.#wildcard;
    this.#wildcard = wildcard;
    return changed;
  }
}
