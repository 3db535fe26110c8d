import type { DeltaDiscoveryResponse } from '../../../src/gen/envoy/service/discovery/v3/discovery.ts';
import { DeltaStream, type Identity, type Possession } from './delta-stream.ts';
import type { BenchServer } from './server-process.ts';

/** TLS handshakes at once: a mesh that starts is not one flood, and clients share the machine. */
const atOnce = 32;

/** What came to all streams since it was last forgotten. */
export interface Tally {
  readonly acks: number;
  readonly streams: number;
  /** On performance.now()'s clock; of the ACKs. */
  readonly first: number;
  readonly last: number;
  readonly bytes: number;
  /** Of each resource once, however many got it. */
  readonly distinctBytes: number;
  /** By type, its name without its package: resources that came to all streams together. */
  readonly resources: Readonly<Record<string, number>>;
}

/** The streams of one process. */
export class Proxies implements Disposable {
  readonly #server: BenchServer;
  readonly #streams: DeltaStream[] = [];
  readonly #possessions = new Map<string, Possession>();
  readonly #reached = new Set<string>();
  readonly #distinct = new Map<string, number>();
  readonly #resources = new Map<string, number>();
  #acks = 0;
  #bytes = 0;
  #first = 0;
  #last = 0;

  constructor(server: BenchServer) {
    this.#server = server;
  }

  /** Opens a stream for each, and waits until each has all that it asked for. */
  async open(
    identities: readonly Identity[],
    comesBackWith: (identity: Identity) => Possession | undefined = () => undefined,
  ): Promise<void> {
    const rest = identities.values();
    const { port, rootsPem } = this.#server;
    const work = async () => {
      for (const identity of rest) {
        const onAck = (response: DeltaDiscoveryResponse, bytes: number) =>
          this.#count(identity, response, bytes);
        const possession = comesBackWith(identity);
        const stream = new DeltaStream({
          port,
          rootsPem,
          identity,
          onAck,
          ...(possession ? { comesBackWith: possession } : {}),
        });
        this.#streams.push(stream);
        await stream.settled;
        this.#possessions.set(identity.workload, stream.has);
      }
    };
    await Promise.all(Array.from({ length: Math.min(atOnce, identities.length) }, work));
  }

  /** What the stream of a workload got since it was opened. */
  possession({ workload }: Identity): Possession | undefined {
    return this.#possessions.get(workload);
  }

  #count({ workload }: Identity, { typeUrl, resources }: DeltaDiscoveryResponse, bytes: number): void {
    this.#last = performance.now();
    if (this.#acks === 0) this.#first = this.#last;
    this.#acks += 1;
    this.#bytes += bytes;
    this.#reached.add(workload);
    const type = typeUrl.split('.').at(-1) ?? '';
    this.#resources.set(type, (this.#resources.get(type) ?? 0) + resources.length);
    for (const { name, version, resource } of resources)
      this.#distinct.set(`${typeUrl} ${name} ${version}`, resource?.value.length ?? 0);
  }

  forget(): void {
    this.#acks = 0;
    this.#bytes = 0;
    this.#reached.clear();
    this.#distinct.clear();
    this.#resources.clear();
  }

  tally(): Tally {
    return {
      acks: this.#acks,
      streams: this.#reached.size,
      first: this.#first,
      last: this.#last,
      bytes: this.#bytes,
      distinctBytes: [...this.#distinct.values()].reduce((sum, length) => sum + length, 0),
      resources: Object.fromEntries(this.#resources),
    };
  }

  /** Ends all streams; others can be opened. */
  [Symbol.dispose](): void {
    for (const stream of this.#streams.splice(0)) stream[Symbol.dispose]();
  }
}
