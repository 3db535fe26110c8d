import type { DiscoveryAnswer, DiscoveryResources } from '../../../domain/ports/index.ts';
import { CitadelError } from '../../../kernel/index.ts';
import { Channel } from './channel.ts';
import type { DiscoveryLimits } from './limits.ts';
import type { ClientMemory } from './memory.ts';
import type { Answered, Push, Variant } from './push.ts';
import { type Request, tooManyNames } from './request.ts';
import { rulesOf } from './types.ts';

type Limits = Pick<DiscoveryLimits, 'typesPerStream' | 'names' | 'orderWait' | 'removalWait'>;

/**
 * The xDS protocol on one stream, for all types, without the stream: requests go in, pushes come out, time is a number.
 * It never looks into a resource.
 */
export class Session {
  readonly #variant: Variant;
  readonly #limits: Limits;
  readonly #memory: ClientMemory;
  readonly #channels = new Map<string, Channel>();
  /** By type, what is to be sent again; after a reconnect it may be asked for only later. */
  readonly #toWarm = new Map<string, Set<string>>();
  /** Whether the client brought anything: it is the one that had a stream before. */
  #continues = false;
  #nonce = 0;

  constructor(variant: Variant, limits: Limits, memory: ClientMemory) {
    this.#variant = variant;
    this.#memory = memory;
    this.#limits = limits;
  }

  /** @throws CitadelError ResourceExhausted when the stream asks for too much */
  receive(request: Request, resources: DiscoveryResources, now: number): Answered | undefined {
    const channel = this.#channels.get(request.typeUrl) ?? this.#open(request);
    // A client of the whole may ask again at once; one of delta says first what it has.
    if (this.#variant === 'sotw') this.#warm(channel);
    const answered = channel.receive(request, resources.get(request.typeUrl), now);
    let names = 0;
    for (const each of this.#channels.values()) names += each.names;
    if (names > this.#limits.names) throw tooManyNames(this.#limits.names);
    return answered;
  }

  #open(request: Request): Channel {
    const { typeUrl } = request;
    const { typesPerStream } = this.#limits;
    if (this.#channels.size >= typesPerStream) {
      const message = `a discovery stream may ask for ${typesPerStream} types of resources at most`;
      throw new CitadelError('ResourceExhausted', message);
    }
    this.#continues ||= request.variant === 'sotw' ? request.version !== '' : request.initial.size > 0;
    const rules = rulesOf(typeUrl);
    const doubts = rules.alone ? this.#memory.doubts(typeUrl, this.#continues) : undefined;
    const channel = new Channel(typeUrl, rules, this.#variant, doubts);
    this.#channels.set(typeUrl, channel);
    return channel;
  }

  /** What the client refused of a type on an earlier stream, in its words of then. */
  recalled(typeUrl: string): readonly DiscoveryAnswer[] {
    return [...(this.#channels.get(typeUrl)?.recalled ?? [])].map(([name, { version, error }]) => ({
      typeUrl,
      resources: new Map([[name, version]]),
      removed: [],
      error,
    }));
  }

  /** The next push, where there is one; it counts as sent. */
  next(resources: DiscoveryResources, now: number): Push | undefined {
    const nonce = () => {
      this.#nonce += 1;
      return String(this.#nonce);
    };
    for (const channel of this.#ordered()) {
      this.#warm(channel);
      if (this.#mustWait(channel, now)) continue;
      const mayRemove = (since: number) =>
        now - since >= this.#limits.removalWait || this.#nothingNames(channel, resources);
      const push = channel.next(resources.get(channel.typeUrl), nonce, mayRemove, now);
      if (!push) continue;
      this.#noteWarming(channel, push);
      return push;
    }
    return undefined;
  }

  #noteWarming({ rules: { warmedBy } }: Channel, { replaced }: Push): void {
    if (warmedBy === undefined || replaced.length === 0) return;
    const names = this.#toWarm.get(warmedBy) ?? new Set<string>();
    this.#toWarm.set(warmedBy, names);
    for (const name of replaced) names.add(name);
  }

  #warm(channel: Channel): void {
    const names = this.#toWarm.get(channel.typeUrl);
    if (!names) return;
    channel.warm(names);
    this.#toWarm.delete(channel.typeUrl);
  }

  /** When to ask `next` again although nothing came; undefined: not before something comes. */
  wakeAt(now: number): number | undefined {
    const times = this.#ordered().flatMap(({ unansweredSince, goneSince }) => [
      ...(unansweredSince === undefined ? [] : [unansweredSince + this.#limits.orderWait]),
      ...(goneSince === undefined ? [] : [goneSince + this.#limits.removalWait]),
    ]);
    const ahead = times.filter((time) => time > now);
    return ahead.length === 0 ? undefined : Math.min(...ahead);
  }

  /** The push that has waited longest for its answer. */
  oldestUnanswered(): { readonly label: string; readonly since: number } | undefined {
    let oldest: { label: string; since: number } | undefined;
    for (const { rules, unansweredSince: since } of this.#channels.values()) {
      if (since !== undefined && (!oldest || since < oldest.since)) oldest = { label: rules.label, since };
    }
    return oldest;
  }

  #ordered(): readonly Channel[] {
    return [...this.#channels.values()].sort((a, b) => a.rules.rank - b.rules.rank);
  }

  #mustWait({ rules }: Channel, now: number): boolean {
    return rules.after.some((typeUrl) => {
      const since = this.#channels.get(typeUrl)?.unansweredSince;
      return since !== undefined && now - since < this.#limits.orderWait;
    });
  }

  /** A proxy that has not asked for its listeners yet may have some that name what is gone. */
  #nothingNames({ rules }: Channel, resources: DiscoveryResources): boolean {
    return rules.removedAfter.every((typeUrl) => {
      const channel = this.#channels.get(typeUrl);
      if (!channel) return !rulesOf(typeUrl).wildcard;
      return channel.isSettled(resources.get(typeUrl));
    });
  }
}
