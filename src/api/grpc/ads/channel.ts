import { createHash } from 'node:crypto';
import type { DiscoveryAnswer, DiscoveryResource } from '../../../domain/ports/index.ts';
import { Refusals } from './refusals.ts';
import type { Request } from './request.ts';
import { Subscription } from './subscription.ts';
import type { TypeRules } from './types.ts';

export type Variant = Request['variant'];
export type Resources = ReadonlyMap<string, DiscoveryResource>;

/** What the client has of a name; only the version is known of what it brought from an earlier stream. */
type Held = DiscoveryResource | { readonly version: string };

export interface Push {
  readonly typeUrl: string;
  readonly nonce: string;
  readonly version: string;
  readonly resources: readonly DiscoveryResource[];
  readonly removed: readonly string[];
  /** Those of the resources that take the place of another version that the client has. */
  readonly replaced: readonly string[];
}

interface Unanswered extends Push {
  readonly sentAt: number;
  /** Of each resource that is new in this push, what the client had before. */
  readonly before: ReadonlyMap<string, Held | undefined>;
}

export interface Answered {
  readonly answers: readonly DiscoveryAnswer[];
  readonly milliseconds: number;
  readonly error: string | undefined;
}

interface Plan {
  readonly changed: readonly DiscoveryResource[];
  /** What the client has and should no longer have. */
  readonly gone: readonly string[];
  /** Delta: what it asked for and does not exist. */
  readonly absent: readonly string[];
}

/** One type on one stream: what the client wants, has, was sent and refused. It decides; it sends nothing. */
export class Channel {
  readonly typeUrl: string;
  readonly rules: TypeRules;
  readonly #variant: Variant;
  readonly #subscription: Subscription;
  readonly #refusals = new Refusals();
  readonly #has = new Map<string, Held>();
  /** Delta: names of which the client was told that there is nothing. */
  readonly #absent = new Set<string>();
  /** To be sent even if the client has it. */
  readonly #owed = new Set<string>();
  /** Whether the client waits for a response even if it is empty. */
  #awaited = false;
  #warming = false;
  #lastNonce = '';
  #begun = false;
  #unanswered: Unanswered | undefined;
  /** Since when something gone is kept back. */
  #goneSince: number | undefined;
  /** The resources for which there was nothing to do, until something else changes. */
  #quiet: Resources | undefined | 'no' = 'no';

  constructor(typeUrl: string, rules: TypeRules, variant: Variant) {
    this.typeUrl = typeUrl;
    this.rules = rules;
    this.#variant = variant;
    this.#subscription = new Subscription(rules.wildcard);
  }

  get names(): number {
    return this.#subscription.names.size;
  }

  get unansweredSince(): number | undefined {
    return this.#unanswered?.sentAt;
  }

  get goneSince(): number | undefined {
    return this.#goneSince;
  }

  /**
   * What hangs on these names was replaced: an Envoy waits for them anew, even if they are the same. In a state of the
   * world it asks again, for whatever they are called; in delta it does not (measured), and is sent what bears the name.
   */
  warm(names: Iterable<string>): void {
    if (this.#variant === 'sotw') {
      this.#warming = true;
      return;
    }
    this.#quiet = 'no';
    for (const name of names) if (this.#subscription.names.has(name)) this.#owed.add(name);
  }

  /** @returns what became of our last push, where the request says so */
  receive(request: Request, all: Resources | undefined, now: number): Answered | undefined {
    const { nonce } = request;
    // A nonce of another stream is no nonce; an outdated one speaks of names that a newer request replaces. In delta it
    // is the changes that count, whatever the nonce.
    if (this.#variant === 'sotw' && this.#lastNonce !== '' && nonce !== '' && nonce !== this.#lastNonce)
      return;
    this.#quiet = 'no';
    const answered = nonce === '' ? undefined : this.#answer(nonce, request.error, now);
    this.#subscribe(request, all, answered !== undefined);
    this.#begun = true;
    return answered;
  }

  #answer(nonce: string, error: string | undefined, now: number): Answered | undefined {
    const push = this.#unanswered;
    if (push?.nonce !== nonce) return undefined;
    this.#unanswered = undefined;
    const milliseconds = now - push.sentAt;
    const versions = new Map(push.resources.map(({ name, version }) => [name, version]));
    const changed = new Map([...versions].filter(([name]) => push.before.has(name)));
    const { typeUrl, removed } = push;
    if (error === undefined) {
      this.#refusals.accepted(changed);
      return { answers: [{ typeUrl, resources: versions, removed, error }], milliseconds, error };
    }
    const refused = this.#refusals.nacked(changed, error);
    for (const name of refused.keys()) this.#restore(name, push.before.get(name));
    const rest = new Map([...versions].filter(([name]) => !refused.has(name)));
    const accepted = { typeUrl, resources: rest, removed, error: undefined };
    const nack = { typeUrl, resources: refused, removed: [], error };
    return { answers: rest.size + removed.length > 0 ? [accepted, nack] : [nack], milliseconds, error };
  }

  #restore(name: string, before: Held | undefined): void {
    if (before && this.#subscription.wants(name)) this.#has.set(name, before);
    else this.#has.delete(name);
  }

  #subscribe(request: Request, all: Resources | undefined, answers: boolean): void {
    const { added, removed, wildcard } = this.#subscription.apply(request);
    for (const name of added) {
      this.#owed.add(name);
      this.#absent.delete(name);
    }
    for (const name of removed) {
      this.#absent.delete(name);
      // Below a wildcard the client does not know whether to keep it: it must be told, one or the other.
      if (this.#subscription.wildcard && request.variant === 'delta') this.#tellAgain(name, all);
      else this.#forget(name);
    }
    if (wildcard && !this.#subscription.wildcard) {
      for (const name of this.#has.keys()) if (!this.#subscription.wants(name)) this.#forget(name);
    }
    const began = wildcard && this.#subscription.wildcard;
    if (request.variant === 'delta') this.#awaited ||= began && request.initial.size === 0;
    else this.#awaited ||= began && !this.#isCurrent(request.version, all);
    if (request.variant === 'delta' && !this.#begun) this.#assume(request.initial);
    // Envoy asks again for what a changed cluster or listener waits for; otherwise a request that changes nothing and
    // answers nothing is an echo.
    if (request.variant === 'sotw' && this.#warming && !answers) {
      for (const name of this.#subscription.names) this.#owed.add(name);
      this.#warming = false;
    }
  }

  #tellAgain(name: string, all: Resources | undefined): void {
    if (all?.has(name)) this.#owed.add(name);
    else this.#has.set(name, { version: '' });
  }

  #forget(name: string): void {
    this.#has.delete(name);
    this.#owed.delete(name);
    this.#refusals.forget(name);
  }

  /** What the client has from an earlier stream is not sent again, and removed where it is gone. */
  #assume(initial: ReadonlyMap<string, string>): void {
    for (const [name, version] of initial) {
      if (!this.#subscription.wants(name)) continue;
      this.#has.set(name, { version });
      this.#owed.delete(name);
    }
  }

  /** A client of the whole that comes back with the version of what there is: it has everything already. */
  #isCurrent(version: string, all: Resources | undefined): boolean {
    if (this.#begun || version === '' || !all || this.#subscription.names.size > 0) return false;
    if (version !== versionOf(all)) return false;
    for (const [name, resource] of all) this.#has.set(name, resource);
    return true;
  }

  /** Whether the client has, and accepted, all that it should. */
  isSettled(all: Resources | undefined): boolean {
    if (this.#unanswered) return false;
    const { changed, gone } = this.#plan(all);
    return changed.length === 0 && gone.length === 0 && !this.#refusesAnyOf(all);
  }

  #refusesAnyOf(all: Resources | undefined): boolean {
    for (const { name, version } of this.#wanted(all))
      if (this.#refusals.keepsBack(name, version)) return true;
    return false;
  }

  /**
   * What is to be sent now, if anything; it counts as sent.
   * @param mayRemove whether nothing names any more what is gone; asked only where something is
   */
  next(
    all: Resources | undefined,
    nonce: () => string,
    mayRemove: (since: number) => boolean,
    now: number,
  ): Push | undefined {
    if (this.#unanswered || this.#quiet === all) return undefined;
    const plan = this.#plan(all);
    this.#goneSince = plan.gone.length === 0 ? undefined : (this.#goneSince ?? now);
    const remove = this.#goneSince === undefined || mayRemove(this.#goneSince);
    const gone = remove ? plan.gone : [];
    if (remove) this.#goneSince = undefined;
    if (this.#variant === 'sotw' && !this.rules.wildcard) for (const name of gone) this.#forget(name);
    const removed = this.#removals(gone, plan.absent);
    if (plan.changed.length + removed.length === 0 && !this.#awaited) {
      if (remove) this.#quiet = all;
      return undefined;
    }
    return this.#commit(all, plan.changed, removed, nonce(), now);
  }

  /** A state of the world has no removals but absence, and that only in types that are sent whole. */
  #removals(gone: readonly string[], absent: readonly string[]): readonly string[] {
    if (this.#variant === 'delta') return [...gone, ...absent];
    return this.rules.wildcard ? gone : [];
  }

  #commit(
    all: Resources | undefined,
    changed: readonly DiscoveryResource[],
    removed: readonly string[],
    nonce: string,
    now: number,
  ): Push {
    const before = new Map(changed.map(({ name }) => [name, this.#has.get(name)]));
    for (const name of removed) {
      this.#forget(name);
      if (this.#subscription.names.has(name)) this.#absent.add(name);
    }
    for (const resource of changed) {
      this.#has.set(resource.name, resource);
      this.#absent.delete(resource.name);
    }
    this.#owed.clear();
    this.#awaited = false;
    this.#lastNonce = nonce;
    const whole = this.#variant === 'sotw' && this.rules.wildcard;
    const resources = whole ? [...this.#has.values()].filter(isResource) : changed;
    const version = this.#version(all, resources, whole);
    const replaced = [...before].flatMap(([name, had]) => (had ? [name] : []));
    const push = { typeUrl: this.typeUrl, nonce, version, resources, removed, replaced };
    this.#unanswered = { ...push, before, sentAt: now };
    return push;
  }

  #version(all: Resources | undefined, resources: readonly DiscoveryResource[], whole: boolean): string {
    if (!whole) return hashOf(resources);
    const same = all?.size === resources.length && resources.every((each) => all.get(each.name) === each);
    return same ? versionOf(all) : hashOf(resources);
  }

  #plan(all: Resources | undefined): Plan {
    const trial = this.#refusals.trial((name) =>
      this.#subscription.wants(name) ? all?.get(name) : undefined,
    );
    if (trial.length > 0) return { changed: trial, gone: [], absent: [] };
    const changed: DiscoveryResource[] = [];
    for (const resource of this.#wanted(all)) {
      const has = this.#has.get(resource.name);
      const owed = this.#owed.has(resource.name);
      if (has?.version === resource.version && !owed) continue;
      if (!this.#refusals.keepsBack(resource.name, resource.version)) changed.push(resource);
      else if (owed && has && isResource(has)) changed.push(has);
    }
    const gone = [...this.#has.keys()].filter((name) => !all?.has(name));
    const absent: string[] = [];
    if (this.#variant === 'delta') {
      for (const name of this.#subscription.names) {
        if (!all?.has(name) && !this.#has.has(name) && !this.#absent.has(name)) absent.push(name);
      }
    }
    return { changed, gone, absent };
  }

  *#wanted(all: Resources | undefined): Iterable<DiscoveryResource> {
    if (!all) return;
    if (this.#subscription.wildcard) {
      yield* all.values();
      return;
    }
    for (const name of this.#subscription.names) {
      const resource = all.get(name);
      if (resource) yield resource;
    }
  }
}

function isResource(held: Held): held is DiscoveryResource {
  return 'value' in held;
}

const wholeVersions = new WeakMap<Resources, string>();

/** The version of a whole type, computed once for all streams that are given the same map. */
function versionOf(all: Resources): string {
  const known = wholeVersions.get(all) ?? hashOf([...all.values()]);
  wholeVersions.set(all, known);
  return known;
}

/** The order in which a source lists its resources is no content. */
function hashOf(resources: readonly DiscoveryResource[]): string {
  const lines = resources.map(({ name, version }) => `${name}=${version}`).sort();
  return createHash('sha256').update(lines.join('\n')).digest('hex').slice(0, 32);
}
