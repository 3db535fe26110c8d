import type { DiscoveryResource } from '../../../domain/ports/index.ts';
import { Alone } from './alone.ts';
import type { Doubts } from './doubts.ts';
import { type Held, Holdings, isResource, type Resources } from './holdings.ts';
import { type ChannelState, planPush } from './plan.ts';
import type { Answered, Push, Variant } from './push.ts';
import { Refusals } from './refusals.ts';
import type { Request } from './request.ts';
import { Subscription } from './subscription.ts';
import type { TypeRules } from './types.ts';
import { hashOf, versionOf } from './versions.ts';

interface Unanswered extends Push {
  readonly sentAt: number;
  /** Of each resource that is new in this push, what the client had before. */
  readonly before: ReadonlyMap<string, Held | undefined>;
  /** What the client had of what is removed. */
  readonly gone: ReadonlyMap<string, Held>;
}

/** One type on one stream: what the client wants, has, was sent and refused. It decides; it sends nothing. */
export class Channel {
  readonly typeUrl: string;
  readonly rules: TypeRules;
  readonly #state: ChannelState;
  /** Whether the client waits for a response even if it is empty. */
  #awaited = false;
  #warming = false;
  #lastNonce = '';
  #begun = false;
  #unanswered: Unanswered | undefined;
  /** Since when something gone is kept back. */
  #goneSince: number | undefined;
  /** Undefined for what goes together. */
  readonly #alone: Alone | undefined;
  /** The resources for which there was nothing to do, until something else changes. */
  #quiet: Resources | undefined | 'no' = 'no';

  constructor(typeUrl: string, rules: TypeRules, variant: Variant, doubts?: Doubts) {
    this.typeUrl = typeUrl;
    this.rules = rules;
    const subscription = new Subscription(rules.wildcard);
    this.#state = {
      variant,
      subscription,
      refusals: new Refusals(),
      has: new Holdings((name) => subscription.wants(name)),
      absent: new Set(),
      owed: new Set(),
    };
    this.#alone = doubts && new Alone(this.#state, doubts);
  }

  get names(): number {
    return this.#state.subscription.names.size;
  }

  /** What it refused on an earlier stream, and is not sent again. */
  get recalled(): Alone['recalled'] | undefined {
    return this.#alone?.recalled;
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
    if (this.#state.variant === 'sotw') {
      this.#warming = true;
      return;
    }
    this.#quiet = 'no';
    for (const name of names) if (this.#state.subscription.names.has(name)) this.#state.owed.add(name);
  }

  /** @returns what became of our last push, where the request says so */
  receive(request: Request, all: Resources | undefined, now: number): Answered | undefined {
    const { nonce } = request;
    // A nonce of another stream is no nonce; an outdated one speaks of names that a newer request replaces. In delta it
    // is the changes that count, whatever the nonce.
    if (this.#state.variant === 'sotw' && this.#lastNonce !== '' && nonce !== '' && nonce !== this.#lastNonce)
      return;
    this.#quiet = 'no';
    const answered = nonce === '' ? undefined : this.#answer(nonce, request.error, all, now);
    this.#subscribe(request, all, answered !== undefined);
    this.#begun = true;
    return answered;
  }

  #answer(
    nonce: string,
    error: string | undefined,
    all: Resources | undefined,
    now: number,
  ): Answered | undefined {
    const push = this.#unanswered;
    if (push?.nonce !== nonce) return undefined;
    this.#unanswered = undefined;
    const milliseconds = now - push.sentAt;
    const versions = new Map(push.resources.map(({ name, version }) => [name, version]));
    const changed = new Map([...versions].filter(([name]) => push.before.has(name)));
    const { typeUrl, removed } = push;
    if (error === undefined) {
      this.#state.refusals.accepted(changed, all);
      this.#alone?.accepted(push, all);
      return { answers: [{ typeUrl, resources: versions, removed, error }], milliseconds, error };
    }
    const refused = this.#refused(changed, error);
    for (const name of refused.keys()) {
      this.#state.has.set(name, this.#state.subscription.wants(name) ? push.before.get(name) : undefined);
      if (this.#alone && isResource(this.#state.has.get(name))) this.#state.owed.add(name);
    }
    // Whoever refused a response may not have removed either; a removal that came alone is not tried for ever.
    const undone = changed.size === 0 ? [] : [...push.gone];
    for (const [name, held] of undone)
      if (this.#state.subscription.wants(name)) {
        this.#state.has.set(name, held);
        this.#state.absent.delete(name);
      }
    const rest = new Map([...versions].filter(([name]) => !refused.has(name)));
    const done = undone.length === 0 ? removed : [];
    const accepted = { typeUrl, resources: rest, removed: done, error: undefined };
    const nack = { typeUrl, resources: refused, removed: [], error };
    return { answers: rest.size + done.length > 0 ? [accepted, nack] : [nack], milliseconds, error };
  }

  /** @returns what of a refused push counts as refused */
  #refused(changed: ReadonlyMap<string, string>, error: string): ReadonlyMap<string, string> {
    return this.#alone?.refused(changed, error) ? changed : this.#state.refusals.nacked(changed, error);
  }

  #subscribe(request: Request, all: Resources | undefined, answers: boolean): void {
    const { added, removed, wildcard } = this.#state.subscription.apply(
      request,
      (name) => all?.get(name)?.name ?? name,
    );
    if (wildcard && this.#state.subscription.wildcard)
      this.#state.has.hideBut(this.#state.subscription.names);
    for (const name of added) {
      // Below a wildcard it may have it, but is owed it all the same.
      if (!this.#state.subscription.wildcard) this.#state.has.set(name, undefined);
      this.#state.owed.add(name);
      this.#state.absent.delete(name);
    }
    for (const name of removed) {
      this.#state.absent.delete(name);
      // Below a wildcard the client does not know whether to keep it: it must be told, one or the other.
      if (this.#state.subscription.wildcard && request.variant === 'delta') this.#tellAgain(name, all);
      else this.#unsubscribed(name);
    }
    if (wildcard && !this.#state.subscription.wildcard) {
      for (const name of this.#state.has.names())
        if (!this.#state.subscription.wants(name)) this.#unsubscribed(name);
    }
    const began = wildcard && this.#state.subscription.wildcard;
    if (request.variant === 'delta') this.#awaited ||= began && request.initial.size === 0;
    else this.#awaited ||= began && !this.#isCurrent(request.version, all);
    if (request.variant === 'delta' && !this.#begun) this.#assume(request.initial, all);
    if (!this.#begun) this.#alone?.recall(request, all);
    // Envoy asks again for what a changed cluster or listener waits for; otherwise a request that changes nothing and
    // answers nothing is an echo.
    if (request.variant === 'sotw' && this.#warming && !answers) {
      for (const name of this.#state.subscription.names) this.#state.owed.add(name);
      this.#warming = false;
    }
  }

  #tellAgain(name: string, all: Resources | undefined): void {
    if (all?.has(name)) this.#state.owed.add(name);
    else this.#state.has.set(name, { version: '' });
  }

  #unsubscribed(name: string): void {
    this.#forget(name);
    this.#alone?.unsubscribed(name);
  }

  #forget(name: string): void {
    this.#state.has.set(name, undefined);
    this.#state.owed.delete(name);
    this.#state.refusals.forget(name);
  }

  /** What the client has from an earlier stream is not sent again, and removed where it is gone. */
  #assume(initial: ReadonlyMap<string, string>, all: Resources | undefined): void {
    for (const [name, version] of initial) {
      if (!this.#state.subscription.wants(name)) continue;
      const current = all?.get(name);
      this.#state.has.set(name, current?.version === version ? current : { version });
      this.#state.owed.delete(name);
    }
  }

  /** A client of the whole that comes back with the version of what there is: it has everything already. */
  #isCurrent(version: string, all: Resources | undefined): boolean {
    if (this.#begun || version === '' || !all || this.#state.subscription.names.size > 0) return false;
    if (version !== versionOf(all)) return false;
    this.#state.has.settle(all);
    return true;
  }

  /** Whether the client has, and accepted, all that it should. */
  isSettled(all: Resources | undefined): boolean {
    if (this.#unanswered || this.#state.refusals.keepBackAnyOf(all)) return false;
    if (this.#quiet === all) return true;
    const { changed, gone } = planPush(this.#state, all);
    return changed.length === 0 && gone.length === 0;
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
    const forgotten = this.#alone?.takeForgotten() ?? [];
    if (forgotten.length > 0) return this.#commit(all, [], forgotten, nonce(), now);
    const restored = this.#alone?.restored;
    if (restored) return this.#commit(all, [restored], [], nonce(), now);
    const plan = planPush(this.#state, all);
    this.#goneSince = plan.gone.length === 0 ? undefined : (this.#goneSince ?? now);
    const remove = this.#goneSince === undefined || mayRemove(this.#goneSince);
    const gone = remove ? plan.gone : [];
    if (remove) this.#goneSince = undefined;
    if (this.#state.variant === 'sotw' && !this.rules.wildcard) for (const name of gone) this.#forget(name);
    const removed = this.#removals(gone, plan.absent);
    if (plan.changed.length + removed.length === 0 && !this.#awaited) {
      if (remove) this.#rest(all);
      return undefined;
    }
    return this.#commit(all, this.#alone?.part(plan.changed) ?? plan.changed, removed, nonce(), now);
  }

  /** There is nothing to do until something changes. */
  #rest(all: Resources | undefined): void {
    this.#quiet = all;
    if (!this.#state.refusals.keepBackAnyOf(all)) this.#state.has.settle(all);
  }

  /** A state of the world has no removals but absence, and that only in types that are sent whole. */
  #removals(gone: readonly string[], absent: readonly string[]): readonly string[] {
    if (this.#state.variant === 'delta') return [...gone, ...absent];
    return this.rules.wildcard ? gone : [];
  }

  #commit(
    all: Resources | undefined,
    changed: readonly DiscoveryResource[],
    removed: readonly string[],
    nonce: string,
    now: number,
  ): Push {
    const before = new Map(changed.map(({ name }) => [name, this.#state.has.get(name)]));
    const gone = new Map<string, Held>();
    for (const name of removed) {
      const held = this.#state.has.get(name);
      if (held) gone.set(name, held);
      this.#forget(name);
      if (this.#state.subscription.names.has(name)) this.#state.absent.add(name);
    }
    for (const resource of changed) {
      this.#alone?.sending(resource, before.get(resource.name));
      this.#state.has.set(resource.name, resource);
      this.#state.absent.delete(resource.name);
      this.#state.owed.delete(resource.name);
    }
    this.#awaited = false;
    this.#lastNonce = nonce;
    const whole = this.#state.variant === 'sotw' && this.rules.wildcard;
    const resources = whole ? this.#state.has.resources() : changed;
    const version = this.#version(all, resources, whole);
    const replaced = [...before].flatMap(([name, had]) => (had ? [name] : []));
    const push = { typeUrl: this.typeUrl, nonce, version, resources, removed, replaced };
    this.#unanswered = { ...push, before, gone, sentAt: now };
    return push;
  }

  #version(all: Resources | undefined, resources: readonly DiscoveryResource[], whole: boolean): string {
    if (!whole) return hashOf(resources);
    const same = all?.size === resources.length && resources.every((each) => all.get(each.name) === each);
    return same ? versionOf(all) : hashOf(resources);
  }
}
