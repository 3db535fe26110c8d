import { type Clock, once } from '../../kernel/index.ts';
import type {
  ConnectedProxy,
  DiscoveryAnswer,
  DiscoveryResource,
  DiscoveryResources,
} from '../ports/index.ts';
import { secretTypeUrl } from '../ports/index.ts';
import { Layered } from './layered.ts';

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
  /** What it should have is of an earlier state of the mesh: that of now could not be made, or not yet. */
  readonly isBehind: boolean;
  /** Why the server could not make it: the proxy keeps what it has. */
  readonly failure: string | undefined;
  readonly resources: readonly ProxyResourceState[];
}

type Versions = ReadonlyMap<string, string>;

/** The versions of all resources of a type, one map for all proxies that should have the same. */
const versionsOf = once<ReadonlyMap<string, DiscoveryResource>, Versions>(
  (resources) => new Map([...resources].map(([name, { version }]) => [name, version])),
);

/** Remembers of one stream what was sent and what became of it. */
export class ProxyTracker {
  readonly #proxy: ConnectedProxy;
  readonly #workload: string;
  readonly #clock: Clock;
  readonly #connectedAt: Date;
  readonly #types = new Map<string, Tracked>();

  constructor(proxy: ConnectedProxy, workload: string, clock: Clock) {
    this.#proxy = proxy;
    this.#workload = workload;
    this.#clock = clock;
    this.#connectedAt = clock.now();
  }

  /** @param wanted what it should have now */
  sent(typeUrl: string, resources: Versions, removed: readonly string[], wanted: DiscoveryResources): void {
    this.#ofType(typeUrl).send(resources, removed, wanted.get(typeUrl));
  }

  answered({ typeUrl, resources, error }: DiscoveryAnswer): void {
    this.#ofType(typeUrl).answer(resources, error, this.#clock.now());
  }

  /** @param isAsked of a type URL; default: of all */
  state(
    wanted: DiscoveryResources,
    lag: Pick<ProxyState, 'isBehind' | 'failure'>,
    isAsked: (typeUrl: string) => boolean = () => true,
  ): ProxyState {
    const resources: ProxyResourceState[] = [];
    for (const typeUrl of new Set([...wanted.keys(), ...this.#types.keys()])) {
      if (!isAsked(typeUrl)) continue;
      const should = wanted.get(typeUrl);
      const tracked = this.#types.get(typeUrl);
      const offered = typeUrl === secretTypeUrl ? [] : (should?.keys() ?? []);
      for (const name of new Set([...offered, ...(tracked?.names() ?? [])]))
        resources.push({
          typeUrl,
          name,
          wanted: should?.get(name)?.version,
          ...(tracked?.of(name, should?.get(name)?.version) ?? unknown),
        });
    }
    return {
      proxy: this.#proxy,
      workload: this.#workload,
      connectedAt: this.#connectedAt,
      ...lag,
      resources,
    };
  }

  /**
   * Whether it has accepted all that it should have, of the types that are asked for. What it did not ask for does not
   * count. Without a look at each resource as `state` has it: there may be thousands of a thousand proxies.
   */
  isCurrent(wanted: DiscoveryResources, isAsked: (typeUrl: string) => boolean): boolean {
    for (const [typeUrl, tracked] of this.#types) {
      if (isAsked(typeUrl) && !tracked.isCurrent(wanted.get(typeUrl))) return false;
    }
    return true;
  }

  #ofType(typeUrl: string): Tracked {
    const tracked = this.#types.get(typeUrl) ?? new Tracked();
    this.#types.set(typeUrl, tracked);
    return tracked;
  }
}

type Became = Pick<ProxyResourceState, 'sent' | 'accepted' | 'acceptedAt' | 'error'>;

const unknown: Became = { sent: undefined, accepted: undefined, acceptedAt: undefined, error: undefined };

/** One type on one stream. What is all that there is, as at the start, is not held for each stream. */
class Tracked {
  readonly #sent = new Layered<string>();
  readonly #accepted = new Layered<string>();
  readonly #acceptedAt = new Map<string, Date>();
  /** By name, what was refused and why. */
  readonly #errors = new Map<string, { readonly version: string; readonly error: string }>();
  /** What was sent whole last, until it is answered; and when it was accepted. */
  #whole: Versions | undefined;
  #wholeAcceptedAt: Date | undefined;

  send(
    resources: Versions,
    removed: readonly string[],
    wanted: ReadonlyMap<string, DiscoveryResource> | undefined,
  ): void {
    this.#whole = wanted && sameVersions(resources, versionsOf(wanted)) ? versionsOf(wanted) : undefined;
    if (this.#whole) this.#sent.rest(this.#whole);
    else for (const [name, version] of resources) this.#sent.set(name, version);
    for (const name of removed) {
      this.#sent.delete(name);
      this.#accepted.delete(name);
      this.#acceptedAt.delete(name);
      this.#errors.delete(name);
    }
  }

  answer(resources: Versions, error: string | undefined, at: Date): void {
    if (error !== undefined) {
      for (const [name, version] of resources) this.#errors.set(name, { version, error });
      return;
    }
    // Of one that it was sent once more, the refusal of another one stands.
    for (const [name, version] of resources)
      if (this.#errors.get(name)?.version === version) this.#errors.delete(name);
    if (this.#whole && sameVersions(resources, this.#whole)) {
      const before = this.#wholeAcceptedAt;
      for (const name of this.#accepted.names()) {
        if (resources.has(name)) this.#acceptedAt.delete(name);
        else if (before && !this.#acceptedAt.has(name)) this.#acceptedAt.set(name, before);
      }
      this.#accepted.rest(this.#whole);
      this.#wholeAcceptedAt = at;
      return;
    }
    for (const [name, version] of resources) {
      this.#accepted.set(name, version);
      this.#acceptedAt.set(name, at);
    }
  }

  /** Whether all that was sent is accepted, as it should be. */
  isCurrent(wanted: ReadonlyMap<string, DiscoveryResource> | undefined): boolean {
    return this.#sent.names().every((name) => this.#accepted.get(name) === wanted?.get(name)?.version);
  }

  names(): readonly string[] {
    return [...new Set([...this.#sent.names(), ...this.#accepted.names(), ...this.#errors.keys()])];
  }

  /** @param wanted a refusal of another version is none any more */
  of(name: string, wanted: string | undefined): Became {
    const refused = this.#errors.get(name);
    const accepted = this.#accepted.get(name);
    return {
      sent: this.#sent.get(name),
      accepted,
      acceptedAt: accepted === undefined ? undefined : (this.#acceptedAt.get(name) ?? this.#wholeAcceptedAt),
      error: refused?.version === wanted ? refused?.error : undefined,
    };
  }
}

function sameVersions(a: Versions, b: Versions): boolean {
  return a === b || (a.size === b.size && [...a].every(([name, version]) => b.get(name) === version));
}
