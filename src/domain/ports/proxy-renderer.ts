import type { ProxyView } from '../mesh/index.ts';
import type { DiscoveryResources } from './discovery.ts';

/** Writes what one proxy should do in the words of its kind. Pure: the same view gives the same bytes. */
export interface ProxyRenderer {
  render(view: ProxyView): DiscoveryResources;
}
