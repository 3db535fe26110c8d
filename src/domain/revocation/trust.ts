import type { AuthorityService } from '../authority/index.ts';
import type { BundleSource, TrustBundleSnapshot } from '../trust/index.ts';
import type { RevocationService } from './service.ts';

type Trust = BundleSource & Pick<AuthorityService, 'isSuperseded' | 'onSuperseded'>;

/** What agents and proxies are told of: the bundle, and the CRLs with it. */
export function trustWithCrls(
  authority: Trust,
  revocations: Pick<RevocationService, 'set' | 'onSetChange'>,
): Trust {
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
    isSuperseded: (issuer) => authority.isSuperseded(issuer),
    onSuperseded: (listener) => authority.onSuperseded(listener),
  };
}
