import { createHash } from 'node:crypto';
import { CitadelError, type Clock, type Entropy, Secret } from '../../kernel/index.ts';

export interface SessionLimits {
  /** Milliseconds without a use after which a session ends. */
  readonly idle: number;
  /** Milliseconds after which it ends however it is used. */
  readonly lifetime: number;
  /** At once, of all; one more is refused. */
  readonly sessions: number;
  /** At once, of one owner; one more ends the one unused for longest. */
  readonly perOwner: number;
}

export interface Session<T> {
  readonly value: T;
  readonly endsAt: Date;
}

interface Held<T> extends Session<T> {
  readonly owner: string;
  usedAt: number;
}

const tokenBytes = 32;

/**
 * What is remembered of those who hold a token: 256 random bits that mean nothing by themselves. Only its digest is kept,
 * so that nothing read out of this process opens a session. Lost at exit.
 */
export class Sessions<T> {
  readonly #limits: SessionLimits;
  readonly #clock: Clock;
  readonly #entropy: Entropy;
  /** By the token's digest; the one unused for longest is the first. */
  readonly #held = new Map<string, Held<T>>();

  constructor(
    limits: SessionLimits,
    { clock, entropy }: { readonly clock: Clock; readonly entropy: Entropy },
  ) {
    this.#limits = limits;
    this.#clock = clock;
    this.#entropy = entropy;
  }

  /** @throws CitadelError ResourceExhausted when there are as many as may be */
  open(owner: string, value: T): Secret<string> {
    const now = this.#clock.now().getTime();
    this.#forgetEnded(now);
    const own = [...this.#held].filter(([, held]) => held.owner === owner);
    for (const [digest] of own.slice(0, Math.max(0, own.length - this.#limits.perOwner + 1)))
      this.#held.delete(digest);
    if (this.#held.size >= this.#limits.sessions)
      throw new CitadelError('ResourceExhausted', 'too many have signed in; try again later');
    const token = Buffer.from(this.#entropy.bytes(tokenBytes)).toString('base64url');
    const endsAt = new Date(now + this.#limits.lifetime);
    this.#held.set(digestOf(token), { owner, value, endsAt, usedAt: now });
    return new Secret(token);
  }

  /** The session of a token that lasts still; this is a use of it. */
  use(token: Secret<string>): Session<T> | undefined {
    const digest = digestOf(token.reveal());
    const held = this.#held.get(digest);
    if (!held) return undefined;
    const now = this.#clock.now().getTime();
    this.#held.delete(digest);
    if (this.#hasEnded(held, now)) return undefined;
    held.usedAt = now;
    this.#held.set(digest, held);
    return held;
  }

  /** Ends a session. @returns what it was, where it lasted still */
  close(token: Secret<string>): T | undefined {
    const session = this.use(token);
    this.#held.delete(digestOf(token.reveal()));
    return session?.value;
  }

  #hasEnded({ usedAt, endsAt }: Held<T>, now: number): boolean {
    return now >= endsAt.getTime() || now - usedAt >= this.#limits.idle;
  }

  #forgetEnded(now: number): void {
    for (const [digest, held] of this.#held) if (this.#hasEnded(held, now)) this.#held.delete(digest);
  }
}

function digestOf(token: string): string {
  return createHash('sha256').update(token, 'utf8').digest('base64url');
}
