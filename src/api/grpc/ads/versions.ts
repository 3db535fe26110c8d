import { createHash } from 'node:crypto';
import type { DiscoveryResource } from '../../../domain/ports/index.ts';
import type { Resources } from './holdings.ts';

const wholeVersions = new WeakMap<Resources, string>();

/** The version of a whole type, computed once for all streams that are given the same map. */
export function versionOf(all: Resources): string {
  const known = wholeVersions.get(all) ?? hashOf([...all.values()]);
  wholeVersions.set(all, known);
  return known;
}

/** The order in which a source lists its resources is no content. */
export function hashOf(resources: readonly Pick<DiscoveryResource, 'name' | 'version'>[]): string {
  const lines = resources.map(({ name, version }) => `${name}=${version}`).sort();
  return createHash('sha256').update(lines.join('\n')).digest('hex').slice(0, 32);
}
