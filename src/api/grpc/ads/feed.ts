import type { DiscoverySession, Metrics } from '../../../domain/ports/index.ts';
import { CitadelError, type Log } from '../../../kernel/index.ts';
import { broughtBy } from './brought.ts';
import { encodePush } from './frames.ts';
import type { DiscoveryLimits } from './limits.ts';
import type { ClientMemory } from './memory.ts';
import type { Push, Variant } from './push.ts';
import type { Request } from './request.ts';
import { Session } from './session.ts';
import { rulesOf } from './types.ts';

export interface FeedOptions {
  readonly variant: Variant;
  readonly discovery: DiscoverySession;
  readonly limits: DiscoveryLimits;
  readonly memory: ClientMemory;
  readonly metrics: Pick<Metrics, 'discoveryPush' | 'discoveryAnswer'>;
  readonly log: Log;
  /** Hands a frame to the stream; `written` is called when the client has room for the next. */
  readonly write: (frame: Buffer, written: () => void) => void;
  readonly fail: (error: unknown) => void;
  /** Milliseconds of a clock that never goes back. */
  readonly now: () => number;
}

/** One stream's work: the protocol between the source and the wire, one frame at a time, with its deadlines. */
export class Feed {
  readonly #options: FeedOptions;
  readonly #session: Session;
  /** Types of which the client has asked before. */
  readonly #known = new Set<string>();
  #writingSince: number | undefined;
  #timer: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(options: FeedOptions) {
    this.#options = options;
    this.#session = new Session(options.variant, options.limits, options.memory);
  }

  /** @throws CitadelError when the request asks for too much */
  receive(request: Request): void {
    if (this.#closed) return;
    const { discovery, limits, log, metrics, now } = this.#options;
    const answered = this.#session.receive(request, discovery.resources(), now());
    this.#noteBrought(request);
    if (answered) {
      const { label } = rulesOf(request.typeUrl);
      const error = answered.error?.slice(0, limits.errorCharacters);
      metrics.discoveryAnswer(label, error === undefined, answered.milliseconds);
      if (error !== undefined)
        log.warn('a proxy refused what it was sent (NACK)', { type: label, reason: error });
      for (const answer of answered.answers) {
        discovery.answered({ ...answer, error: answer.error === undefined ? undefined : error });
      }
    }
    this.pump();
  }

  #noteBrought(request: Request): void {
    const { typeUrl } = request;
    if (this.#known.has(typeUrl)) return;
    this.#known.add(typeUrl);
    const { discovery } = this.#options;
    const resources = broughtBy(request, discovery.resources().get(typeUrl));
    if (resources.size > 0) discovery.brought(typeUrl, resources);
    for (const answer of this.#session.recalled(typeUrl)) discovery.answered(answer);
  }

  /** Sends what is to be sent, as far as the client takes it. */
  pump(): void {
    if (this.#closed) return;
    try {
      if (this.#writingSince === undefined) this.#sendNext();
      this.#schedule();
    } catch (error) {
      this.#options.fail(error);
    }
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
  }

  #sendNext(): void {
    const { discovery, now, variant, write } = this.#options;
    const push = this.#session.next(discovery.resources(), now());
    if (!push) return;
    const frame = encodePush(variant, push);
    this.#writingSince = now();
    this.#report(push, frame.length);
    write(frame, () => {
      this.#writingSince = undefined;
      this.pump();
    });
  }

  #report({ typeUrl, resources, removed }: Push, bytes: number): void {
    const { discovery, metrics } = this.#options;
    metrics.discoveryPush(rulesOf(typeUrl).label, bytes);
    discovery.sent(typeUrl, new Map(resources.map(({ name, version }) => [name, version])), removed);
  }

  #schedule(): void {
    const { limits, now } = this.#options;
    const time = now();
    const oldest = this.#session.oldestUnanswered();
    const since = Math.min(oldest?.since ?? Infinity, this.#writingSince ?? Infinity);
    if (time - since >= limits.answer) {
      const seconds = Math.round(limits.answer / 1000);
      const what = this.#writingSince === undefined ? 'answered' : 'read';
      const message = `a push of ${oldest?.label ?? 'resources'} was not ${what} within ${seconds} s; connect again`;
      throw new CitadelError('DeadlineExceeded', message);
    }
    const at = Math.min(this.#session.wakeAt(time) ?? Infinity, since + limits.answer);
    clearTimeout(this.#timer);
    // A timer may fire a little early: one more millisecond, and it does not come in vain.
    if (at !== Infinity) this.#timer = setTimeout(() => this.pump(), at - time + 1);
  }
}
