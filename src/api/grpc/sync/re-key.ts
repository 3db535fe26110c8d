import type { AuthorityService } from '../../../domain/authority/index.ts';
import type { Clock } from '../../../kernel/index.ts';

/** Orders a second: well below what one server signs, so that who comes for another reason is served too. */
const ordersPerSecond = 200;

/** Tells agents to make new keys, each once, in turn: a fleet that came at once would not be served. */
export class ReKeyOrders {
  readonly #authority: Pick<AuthorityService, 'isSuperseded' | 'onSuperseded'>;
  readonly #clock: Clock;
  /** When the next order may go, milliseconds. */
  #free = 0;

  constructor(authority: Pick<AuthorityService, 'isSuperseded' | 'onSuperseded'>, clock: Clock) {
    this.#authority = authority;
    this.#clock = clock;
  }

  /** Calls `order` once, when its turn has come, if certificates of the issuer are to be replaced, now or later. @returns stops it */
  watch(issuer: string, order: () => void): () => void {
    const over = new AbortController();
    let ordered = false;
    const look = () => {
      if (ordered || !this.#authority.isSuperseded(issuer)) return;
      ordered = true;
      this.#clock.sleep(this.#turn(), over.signal).then(order, () => undefined);
    };
    const stop = this.#authority.onSuperseded(look);
    look();
    return () => {
      stop();
      over.abort();
    };
  }

  #turn(): number {
    const now = this.#clock.now().getTime();
    const at = Math.max(now, this.#free);
    this.#free = at + 1000 / ordersPerSecond;
    return at - now;
  }
}
