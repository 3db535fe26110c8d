import type { Clock } from '../../kernel/index.ts';
import type { ConnectedProxy, DiscoveryAnswer, DiscoveryResources } from '../ports/index.ts';

/** One resource of one proxy: what it should have, was sent, and accepted. An ACK says parsed, not used. */
export interface ProxyResourceState {
  readonly typeUrl: string;
  readonly name: string;
  /** Undefined: it should not have it any more. */
  readonly wanted: string | undefined;
  readonly sent: string | undefined;
  readonly accepted: string | undefined;
  /** When it said so. */
  readonly acceptedAt: Date | undefined;
  /** The proxy's words about the version that it refused; undefined when it accepted the last one. */
  readonly error: string | undefined;
}

export interface ProxyState {
  readonly proxy: ConnectedProxy;
  readonly workload: string;
  readonly connectedAt: Date;
  /** What it should have is of an earlier state of the mesh: that of now could not be made yet. */
  readonly isBehind: boolean;
  readonly resources: readonly ProxyResourceState[];
}

interface Tracked {
  sent?: string;
  accepted?: string;
  acceptedAt?: Date;
  error?: string;
}

/** Remembers of one stream what was sent and what became of it. */
export class ProxyTracker {
  readonly #proxy: ConnectedProxy;
  readonly #workload: string;
  readonly #clock: Clock;
  readonly #connectedAt: Date;
  /** By type URL, then by name. */
  readonly #tracked = new Map<string, Map<string, Tracked>>();

  constructor(proxy: ConnectedProxy, workload: string, clock: Clock) {
    this.#proxy = proxy;
    this.#workload = workload;
    this.#clock = clock;
    this.#connectedAt = clock.now();
  }

  sent(typeUrl: string, resources: ReadonlyMap<string, string>, removed: readonly string[]): void {
    const ofType = this.#ofType(typeUrl);
    for (const [name, version] of resources) ofType.set(name, { ...ofType.get(name), sent: version });
    for (const name of removed) ofType.delete(name);
  }

  answered({ typeUrl, resources, error }: DiscoveryAnswer): void {
    const ofType = this.#ofType(typeUrl);
    const acceptedAt = this.#clock.now();
    for (const [name, version] of resources) {
      const { error: _, ...before } = ofType.get(name) ?? {};
      ofType.set(
        name,
        error === undefined ? { ...before, accepted: version, acceptedAt } : { ...before, error },
      );
    }
  }

  /** @param isAsked of a type URL; default: of all */
  state(
    wanted: DiscoveryResources,
    isBehind: boolean,
    isAsked: (typeUrl: string) => boolean = () => true,
  ): ProxyState {
    const resources: ProxyResourceState[] = [];
    for (const typeUrl of new Set([...wanted.keys(), ...this.#tracked.keys()])) {
      if (!isAsked(typeUrl)) continue;
      const should = wanted.get(typeUrl);
      const has = this.#tracked.get(typeUrl);
      for (const name of new Set([...(should?.keys() ?? []), ...(has?.keys() ?? [])])) {
        const { sent, accepted, acceptedAt, error } = has?.get(name) ?? {};
        resources.push({
          typeUrl,
          name,
          wanted: should?.get(name)?.version,
          sent,
          accepted,
          acceptedAt,
          error,
        });
      }
    }
    return {
      proxy: this.#proxy,
      workload: this.#workload,
      connectedAt: this.#connectedAt,
      isBehind,
      resources,
    };
  }

  /**
   * Whether it has accepted all that it should have, of the types that are asked for. What it did not ask for does not
   * count. Without a look at each resource as `state` has it: there may be thousands of a thousand proxies.
   */
  isCurrent(wanted: DiscoveryResources, isAsked: (typeUrl: string) => boolean): boolean {
    for (const typeUrl of new Set([...wanted.keys(), ...this.#tracked.keys()])) {
      if (!isAsked(typeUrl)) continue;
      const should = wanted.get(typeUrl);
      for (const [name, { sent, accepted }] of this.#tracked.get(typeUrl) ?? [])
        if (sent !== undefined && accepted !== should?.get(name)?.version) return false;
    }
    return true;
  }

  #ofType(typeUrl: string): Map<string, Tracked> {
    let ofType = this.#tracked.get(typeUrl);
    if (!ofType) {
      ofType = new Map();
      this.#tracked.set(typeUrl, ofType);
    }
    return ofType;
  }
}
