/** Streams that are over and still told apart by when they began. */
const mostClosed = 128;
/** An agent works out when its Envoy began from seconds of uptime. */
const tolerance = 3_000;

interface Stream {
  readonly openedAt: Date;
  entries: number;
}

/** How many entries came by the streams of one workload, so that those of one Envoy process can be told from others. */
export class StreamCounts {
  readonly #open = new Set<Stream>();
  #closed: Stream[] = [];

  open(openedAt: Date): { count(entries: number): void; close(): void } {
    const stream: Stream = { openedAt, entries: 0 };
    this.#open.add(stream);
    return {
      count: (entries) => {
        stream.entries += entries;
      },
      close: () => {
        if (this.#open.delete(stream)) this.#closed = [...this.#closed, stream].slice(-mostClosed);
      },
    };
  }

  get isOpen(): boolean {
    return this.#open.size > 0;
  }

  /** Entries by streams that began with a process, or after it. */
  since(startedAt: Date): number {
    const begin = startedAt.getTime() - tolerance;
    return [...this.#open, ...this.#closed]
      .filter(({ openedAt }) => openedAt.getTime() >= begin)
      .reduce((sum, { entries }) => sum + entries, 0);
  }
}
