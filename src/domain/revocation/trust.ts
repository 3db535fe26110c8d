import type { AuthorityService } from '../authority/index.ts';
import type { TrustBundleSnapshot } from '../trust/index.ts';
import type { RevocationService } from './service.ts';

type Trust = Pick<AuthorityService, 'bundle' | 'onBundleChange' | 'isSuperseded' | 'onSuperseded'>;

/** What agents and proxies are told of: the bundle, and the CRLs with it. */
export function trustWithCrls(
  authority: Trust,
  revocations: Pick<RevocationService, 'set' | 'onSetChange'>,
): Trust {
  const bundle = (): TrustBundleSnapshot => {
    const crls = revocations.set();
    return { ...authority.bundle(), ...(crls ? { crls } : {}) };
  };
  return {
    bundle,
    onBundleChange(listener) {
      const stops = [
        authority.onBundleChange(() => listener(bundle())),
        revocations.onSetChange(() => listener(bundle())),
      ];
      return () => {
        for (const stop of stops) stop();
      };
    },
    isSuperseded: (issuer) => authority.isSuperseded(issuer),
    onSuperseded: (listener) => authority.onSuperseded(listener),
  };
}
