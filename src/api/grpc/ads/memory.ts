import { Doubts } from './doubts.ts';

export interface MemoryLimits {
  /** Clients without a stream of which something is remembered. */
  readonly away: number;
  /** The same, of one proxy's identity: it can call itself by as many node ids as it likes. */
  readonly awayPerProxy: number;
  /** Of one client. */
  readonly names: number;
  /** Milliseconds after which a client that has no stream is forgotten. */
  readonly retention: number;
}

/** Who has no stream for longer than a leaf is valid comes back as another one. */
const defaultLimits: MemoryLimits = { away: 4096, awayPerProxy: 4, names: 256, retention: 24 * 3_600_000 };

/** What is remembered of one client over its streams. */
export interface ClientMemory {
  /** @param continues whether it is the same process as on the stream before; another one has forgotten everything */
  doubts(typeUrl: string, continues: boolean): Doubts;
  /** Once, at the end of the stream. */
  close(): void;
}

interface Kept {
  readonly proxyKey: string;
  doubts: ReadonlyMap<string, Doubts>;
  streams: number;
  leftAt: number;
}

/** What clients have not answered, or have refused, from one stream to the next. */
export class DiscoveryMemory {
  readonly #limits: MemoryLimits;
  readonly #now: () => number;
  readonly #connected = new Map<string, Kept>();
  /** Whoever left first comes first. */
  readonly #away = new Map<string, Kept>();

  /** @param now milliseconds of a clock that never goes back */
  constructor(now: () => number, limits: Partial<MemoryLimits> = {}) {
    this.#now = now;
    this.#limits = { ...defaultLimits, ...limits };
  }

  get size(): number {
    return this.#connected.size + this.#away.size;
  }

  open({ proxyKey, nodeId }: { readonly proxyKey: string; readonly nodeId: string }): ClientMemory {
    this.#forgetOld();
    const key = JSON.stringify([proxyKey, nodeId]);
    const kept = this.#connected.get(key) ??
      this.#away.get(key) ?? { proxyKey, doubts: new Map(), streams: 0, leftAt: 0 };
    this.#away.delete(key);
    this.#connected.set(key, kept);
    kept.streams += 1;
    return {
      doubts: (typeUrl, continues) => {
        const known = continues ? kept.doubts.get(typeUrl) : undefined;
        const doubts = known ?? new Doubts(this.#limits.names);
        // Not changed in place: another stream of the client that was goes on with its own.
        kept.doubts = new Map([...kept.doubts, [typeUrl, doubts]]);
        return doubts;
      },
      close: () => this.#leave(key, kept),
    };
  }

  #leave(key: string, kept: Kept): void {
    kept.streams -= 1;
    if (kept.streams > 0) return;
    this.#connected.delete(key);
    if ([...kept.doubts.values()].every(({ size }) => size === 0)) return;
    kept.leftAt = this.#now();
    this.#away.set(key, kept);
    const own = [...this.#away].filter(([, { proxyKey }]) => proxyKey === kept.proxyKey);
    if (own.length > this.#limits.awayPerProxy) this.#away.delete(own[0]?.[0] ?? key);
    const [oldest = key] = this.#away.keys();
    if (this.#away.size > this.#limits.away) this.#away.delete(oldest);
  }

  #forgetOld(): void {
    const before = this.#now() - this.#limits.retention;
    for (const [key, { leftAt }] of this.#away) {
      if (leftAt > before) return;
      this.#away.delete(key);
    }
  }
}
