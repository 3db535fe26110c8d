import type { DiscoveryResource } from '../../../domain/ports/index.ts';
import { identityOf, Shared } from '../../../kernel/index.ts';

/** A resource, or a list of which nobody changes anything and which lives as long as its resources are wanted. */
type Part = DiscoveryResource | readonly DiscoveryResource[];

/** Puts parts into a map by name; the same parts in the same order are the same map. */
export function createMaps(): (...parts: readonly Part[]) => ReadonlyMap<string, DiscoveryResource> {
  const maps = new Shared<ReadonlyMap<string, DiscoveryResource>>();
  return (...parts) =>
    maps.get(
      parts.map(identityOf).join(),
      () => new Map(parts.flat().map((each) => [each.name, each] as const)),
    );
}
