import { type DiscoveryResource, sdsNames } from '../../domain/ports/index.ts';
import type { TrustBundleSnapshot } from '../../domain/trust/index.ts';
import { Secret } from '../../gen/envoy/extensions/transport_sockets/tls/v3/secret.ts';
import { trustOfAll, trustOfOne } from '../../wire/index.ts';
import { resource } from './messages/resource.ts';

/**
 * The validation contexts that a proxy may ask for, under the names that the agent has for them. There is no other
 * secret here: a private key never leaves the machine of its workload.
 */
export function renderSecrets(
  bundles: readonly TrustBundleSnapshot[],
  ownTrustDomain: string,
): readonly DiscoveryResource[] {
  if (bundles.length === 0) return [];
  const own = bundles.filter(({ trustDomain }) => trustDomain === ownTrustDomain);
  return [
    ...own.map((bundle) => trustOfOne(sdsNames.bundle, bundle)),
    ...bundles.map((bundle) => trustOfOne(sdsNames.ofTrustDomain(bundle.trustDomain), bundle)),
    trustOfAll(sdsNames.allBundles, bundles),
  ].map((secret) => resource(secret.name, Secret, secret));
}
