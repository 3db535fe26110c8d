import type { TrustBundleSnapshot } from './snapshot.ts';

/** Who is given a bundle. */
export interface BundleReader {
  readonly proxyKey: string;
  readonly spiffeId: string;
}

/** Who is given the roots that are staged, while some are. */
export interface BundleChoice {
  /** Of the rotation that chose, and of whom it chose no more: another one chooses others. */
  readonly id: string;
  readonly isChosen: (reader: BundleReader) => boolean;
}

/** The trust bundle, to whom it may concern. */
export interface BundleSource {
  /** What everybody is given, but for whoever is chosen to have a new root before the others. */
  bundle(): TrustBundleSnapshot;
  /** What one reader is given. */
  bundleFor(reader: BundleReader): TrustBundleSnapshot;
  /** Called whenever somebody may be given another one than before. @returns the way to stop it */
  onBundleChange(listener: () => void): () => void;
}
