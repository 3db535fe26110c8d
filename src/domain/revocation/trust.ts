import type { BundleSource, TrustBundleSnapshot } from '../trust/index.ts';
import type { RevocationService } from './service.ts';

/** What agents and proxies are told of: the bundle, and the CRLs with it. */
export function trustWithCrls(
  authority: BundleSource,
  revocations: Pick<RevocationService, 'set' | 'onSetChange'>,
): BundleSource {
  const withCrls = (bundle: TrustBundleSnapshot): TrustBundleSnapshot => {
    const crls = revocations.set();
    return { ...bundle, ...(crls ? { crls } : {}) };
  };
  return {
    bundle: () => withCrls(authority.bundle()),
    bundleFor: (reader) => withCrls(authority.bundleFor(reader)),
    onBundleChange(listener) {
      const stops = [authority.onBundleChange(listener), revocations.onSetChange(() => listener())];
      return () => {
        for (const stop of stops) stop();
      };
    },
  };
}
