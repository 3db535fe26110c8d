import type { TrustBundleSnapshot } from '../trust/index.ts';

/** Puts the trust bundle where clients find it without asking us: a ConfigMap, a ClusterTrustBundle, a file. */
export interface BundlePublisher {
  readonly name: string;
  /** Idempotent; called at every change and periodically. */
  publish(bundle: TrustBundleSnapshot, signal: AbortSignal): Promise<void>;
}
