import type { DiscoveryResource } from '../../../domain/ports/index.ts';
import { type Held, isResource, type Resources } from './holdings.ts';

/** Where what a client has of a name and what came to it last may differ. */
export interface Doubt {
  /** What it accepted last, and uses; undefined: nothing. */
  readonly kept: Held | undefined;
  /** The version that may have come to it after that: unanswered, or refused. */
  readonly sent: string | undefined;
  readonly refused: Refusal | undefined;
}

export interface Refusal {
  readonly version: string;
  /** The client's words. */
  readonly error: string;
}

/**
 * Of one client and one type that is sent alone: what it refused, and what it has not answered yet. It outlives the
 * stream, for the client remembers too: what it refused is accepted, and not applied, when it comes once more.
 */
export class Doubts {
  readonly #most: number;
  readonly #byName = new Map<string, Doubt>();

  /** @param most names; of more the oldest is not remembered */
  constructor(most: number) {
    this.#most = most;
  }

  get size(): number {
    return this.#byName.size;
  }

  entries(): readonly (readonly [string, Doubt])[] {
    return [...this.#byName];
  }

  /** @param held what the client has now */
  sending({ name, version }: DiscoveryResource, held: Held | undefined): void {
    const known = this.#byName.get(name);
    // What it kept is sent behind what it refused: until it answers, either may have come last.
    if (known?.kept?.version === version) return;
    this.#set(name, { kept: known ? known.kept : held, sent: version, refused: known?.refused });
  }

  /** @param all what there is: another version that is accepted takes no refusal back */
  accepted(resources: readonly DiscoveryResource[], all: Resources | undefined): void {
    for (const resource of resources) {
      const { name, version } = resource;
      const refused = this.#byName.get(name)?.refused;
      if (!refused || all?.get(name)?.version === version) this.#byName.delete(name);
      else this.#set(name, { kept: resource, sent: undefined, refused });
    }
  }

  /** @param error undefined: it refused them together, and which of them is not known */
  refused(versions: ReadonlyMap<string, string>, error: string | undefined): void {
    for (const [name, version] of versions) {
      const known = this.#byName.get(name);
      const refused = error === undefined ? known?.refused : { version, error };
      this.#set(name, { kept: known?.kept, sent: version, refused });
    }
  }

  forget(name: string): void {
    this.#byName.delete(name);
  }

  #set(name: string, doubt: Doubt): void {
    this.#byName.set(name, doubt);
    const [oldest] = this.#byName.keys();
    if (this.#byName.size > this.#most && oldest !== undefined) this.#byName.delete(oldest);
  }
}

/** What to send first, so that the client remembers what it uses; undefined where that is so already, or not known. */
export function toRestore({ kept, sent }: Doubt): DiscoveryResource | undefined {
  return sent !== undefined && isResource(kept) ? kept : undefined;
}
