import type { ConnectedProxy } from '../ports/index.ts';
import type { BundleSource, TrustBundleSnapshot } from '../trust/index.ts';
import { bundleId } from './snapshot.ts';

/** The bundles that one proxy gets that asks for them, where all others get those of the snapshot. */
export type ReaderBundles = (
  proxy: ConnectedProxy,
  everyones: readonly TrustBundleSnapshot[],
) => readonly TrustBundleSnapshot[];

/** What has the same content is the very same list, for all who get it: by that a proxy is seen to need nothing new. */
export function readerBundles(source: Pick<BundleSource, 'bundleFor'> | undefined): ReaderBundles {
  let chosens: readonly TrustBundleSnapshot[] = [];
  return (proxy, everyones) => {
    if (!source || everyones.length === 0) return everyones;
    const own = source.bundleFor(proxy);
    const id = bundleId(own);
    if (everyones.some((each) => bundleId(each) === id)) return everyones;
    if (!chosens.some((each) => bundleId(each) === id)) chosens = [own];
    return chosens;
  };
}
