import { createHash } from 'node:crypto';
import { SpiffeError } from './errors.ts';
import type { TrustBundle } from './trust-bundle.ts';
import type { TrustDomain } from './trust-domain.ts';

/** Bundles by trust domain (SPIFFE Trust Domain and Bundle 5). Immutable. */
export class BundleSet implements Iterable<TrustBundle> {
  readonly #bundles: ReadonlyMap<string, TrustBundle>;

  private constructor(bundles: ReadonlyMap<string, TrustBundle>) {
    this.#bundles = bundles;
  }

  /** @throws SpiffeError with rule `bundle-duplicate` when two bundles are of one trust domain. */
  static of(...bundles: readonly TrustBundle[]): BundleSet {
    const byName = new Map(bundles.map((bundle) => [bundle.trustDomain.name, bundle]));
    if (byName.size < bundles.length) {
      throw new SpiffeError('bundle-duplicate', 'there are two bundles for one trust domain');
    }
    return new BundleSet(byName);
  }

  get size(): number {
    return this.#bundles.size;
  }

  get(trustDomain: TrustDomain): TrustBundle | undefined {
    return this.#bundles.get(trustDomain.name);
  }

  has(trustDomain: TrustDomain): boolean {
    return this.#bundles.has(trustDomain.name);
  }

  /** The set with this bundle put in, in place of the one of its trust domain. */
  with(bundle: TrustBundle): BundleSet {
    return new BundleSet(new Map(this.#bundles).set(bundle.trustDomain.name, bundle));
  }

  without(trustDomain: TrustDomain): BundleSet {
    const bundles = new Map(this.#bundles);
    bundles.delete(trustDomain.name);
    return new BundleSet(bundles);
  }

  equals(other: BundleSet): boolean {
    if (this.size !== other.size) return false;
    for (const bundle of this) if (other.get(bundle.trustDomain)?.equals(bundle) !== true) return false;
    return true;
  }

  /** SHA-256, in hex, over each trust domain's name and its bundle's content version, in order of the names. */
  contentVersion(): string {
    const hash = createHash('sha256');
    for (const bundle of this) hash.update(`${bundle.trustDomain.name} ${bundle.contentVersion()}\n`);
    return hash.digest('hex');
  }

  /** In order of the trust domains' names. */
  *[Symbol.iterator](): Iterator<TrustBundle> {
    const byName = [...this.#bundles].sort(([a], [b]) => (a < b ? -1 : 1));
    for (const [, bundle] of byName) yield bundle;
  }
}
