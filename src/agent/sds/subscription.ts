import type { ConsumerRecord } from '../consumers.ts';
import type { AgentSnapshot } from '../identity/identity.ts';
import { lookupSecret, type SecretResource } from './secret.ts';

/** What is to be sent now. */
export interface Push {
  readonly nonce: string;
  readonly resources: readonly SecretResource[];
  /** Names that exist no more, or never did; told once each. */
  readonly removed: readonly string[];
}

/** Unanswered pushes at most; what changes meanwhile goes out, in its newest form, after the next answer. */
const maxUnanswered = 4;
export const maxNames = 64;

/**
 * One stream's subscription, the same for both xDS variants: which names it wants, what it was sent of each, which pushes
 * it has not answered yet.
 */
export class SecretSubscription {
  readonly #names = new Set<string>();
  /** By name: the version sent last, or `removed`. */
  readonly #sent = new Map<string, string>();
  /** Names of which the client said what it has, and it was not looked at yet. */
  readonly #assumed = new Set<string>();
  readonly #unanswered = new Map<string, readonly SecretResource[]>();
  readonly #consumer: ConsumerRecord;
  #counter = 0;
  #lastNonce = '';

  constructor(consumer: ConsumerRecord) {
    this.#consumer = consumer;
  }

  get names(): ReadonlySet<string> {
    return this.#names;
  }

  /** Whether a request with this nonce speaks about our last push; an older one carries an outdated list of names. */
  isCurrent(nonce: string): boolean {
    return nonce === this.#lastNonce;
  }

  /** @returns whether the number of names stays within the limit */
  add(names: readonly string[]): boolean {
    for (const name of names) this.#names.add(name);
    return this.#names.size <= maxNames;
  }

  remove(names: Iterable<string>): void {
    for (const name of names) {
      this.#names.delete(name);
      this.#sent.delete(name);
    }
  }

  /** What the client says that it has already (delta, after a reconnect). */
  assume(versions: Readonly<Record<string, string>>): void {
    for (const [name, version] of Object.entries(versions))
      if (this.#names.has(name)) {
        this.#sent.set(name, version);
        this.#assumed.add(name);
      }
  }

  /** An answer to a push. @returns the NACK's text where it is one for a push of ours */
  answer(nonce: string, error: string | undefined): string | undefined {
    const resources = this.#unanswered.get(nonce);
    if (resources === undefined) return undefined;
    this.#unanswered.delete(nonce);
    for (const { name, version, crls } of resources) {
      if (error === undefined) this.#consumer.accepted(name, version, crls);
      else this.#consumer.rejected(name, error);
    }
    return error;
  }

  /** What has changed since the last push; undefined when nothing has, or when too much is unanswered. */
  next(snapshot: AgentSnapshot, now: Date): Push | undefined {
    if (this.#unanswered.size >= maxUnanswered) return undefined;
    const resources: SecretResource[] = [];
    const removed: string[] = [];
    for (const name of this.#names) {
      const found = lookupSecret(snapshot, name, now);
      if (found === 'pending') continue;
      const version = found === 'unknown' ? 'removed' : found.content;
      const assumed = this.#assumed.delete(name);
      if (this.#sent.get(name) === version) {
        if (assumed && found !== 'unknown') this.#has(found);
        continue;
      }
      this.#sent.set(name, version);
      if (found === 'unknown') removed.push(name);
      else resources.push(found);
    }
    if (resources.length === 0 && removed.length === 0) return undefined;
    this.#counter += 1;
    return { nonce: String(this.#counter), resources, removed };
  }

  /** It was sent and accepted on an earlier stream. */
  #has({ name, kind, version, crls }: SecretResource): void {
    this.#consumer.sent(name, kind, version);
    this.#consumer.accepted(name, version, crls);
  }

  /** The push has been written. */
  pushed({ nonce, resources }: Push): void {
    this.#lastNonce = nonce;
    this.#unanswered.set(nonce, resources);
    for (const { name, kind, version } of resources) this.#consumer.sent(name, kind, version);
  }
}
