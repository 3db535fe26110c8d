import { CitadelError } from '../../kernel/index.ts';

type End = (error: CitadelError) => void;

/** The open streams of each proxy, bounded: a proxy that comes once more loses its oldest, which it most likely lost. */
export class ProxyStreams {
  readonly #most: number;
  readonly #open = new Map<string, Set<End>>();

  constructor(most: number) {
    this.#most = most;
  }

  /** @returns takes the stream out again */
  add(proxyKey: string, end: End): () => void {
    const streams = this.#open.get(proxyKey) ?? new Set<End>();
    this.#open.set(proxyKey, streams);
    streams.add(end);
    const remove = (each: End) => {
      streams.delete(each);
      if (streams.size === 0 && this.#open.get(proxyKey) === streams) this.#open.delete(proxyKey);
    };
    if (streams.size > this.#most) {
      const [oldest] = streams;
      if (oldest) {
        remove(oldest);
        const message = `this proxy opened more than ${this.#most} streams; the oldest is ended`;
        oldest(new CitadelError('ResourceExhausted', message));
      }
    }
    return () => remove(end);
  }
}
