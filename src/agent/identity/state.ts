import type { AgentSnapshot, Bundle, Identity } from './identity.ts';

export type SnapshotListener = (snapshot: AgentSnapshot) => void;

/** The one place where the agent's present identity and bundles are kept; listeners are told of each change. */
export class IdentityState {
  #snapshot: AgentSnapshot = { identity: undefined, bundles: new Map(), ownTrustDomain: undefined };
  readonly #listeners = new Set<SnapshotListener>();

  get snapshot(): AgentSnapshot {
    return this.#snapshot;
  }

  /** A new certificate, and the roots that came with it. */
  setIdentity(identity: Identity, bundle: Bundle): void {
    // A reply brings no CRLs: those at hand stay until Sync says otherwise.
    const crls = bundle.crls ?? this.#snapshot.bundles.get(bundle.trustDomain)?.crls;
    const known = { ...bundle, ...(crls ? { crls } : {}) };
    const bundles = new Map(this.#snapshot.bundles).set(bundle.trustDomain, known);
    this.#publish({ identity, bundles, ownTrustDomain: bundle.trustDomain });
  }

  /** Replaces all bundles by those of the server's set; our own trust domain's stays where the set has none. */
  setBundles(bundles: readonly Bundle[]): void {
    const next = new Map(bundles.map((bundle) => [bundle.trustDomain, bundle]));
    const { ownTrustDomain } = this.#snapshot;
    const own = ownTrustDomain === undefined ? undefined : this.#snapshot.bundles.get(ownTrustDomain);
    if (own !== undefined && !next.has(own.trustDomain)) next.set(own.trustDomain, own);
    if (sameVersions(next, this.#snapshot.bundles)) return;
    this.#publish({ ...this.#snapshot, bundles: next });
  }

  /** @returns a function that ends the subscription */
  subscribe(listener: SnapshotListener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  #publish(snapshot: AgentSnapshot): void {
    this.#snapshot = snapshot;
    for (const listener of this.#listeners) listener(snapshot);
  }
}

function sameVersions(a: ReadonlyMap<string, Bundle>, b: ReadonlyMap<string, Bundle>): boolean {
  return a.size === b.size && [...a].every(([name, bundle]) => same(bundle, b.get(name)));
}

function same(a: Bundle, b: Bundle | undefined): boolean {
  return a.version === b?.version && a.crls?.version === b.crls?.version;
}
