import type { BundlePublisher } from '../../../domain/ports/index.ts';
import type { TrustBundleSnapshot } from '../../../domain/trust/index.ts';

/** A publisher that also looks after what it published. */
export interface FollowingPublisher extends BundlePublisher {
  /**
   * Publishes to places as they appear and repairs what others change, until `signal` is aborted. Never rejects for a
   * place that fails: that one is tried again. A new bundle is told by `publish`.
   * @param getBundle the bundle of this moment
   */
  watch(
    getBundle: () => TrustBundleSnapshot | Promise<TrustBundleSnapshot>,
    signal: AbortSignal,
  ): Promise<void>;
}
