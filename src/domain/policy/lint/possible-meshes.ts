import type { Policy } from '../model.ts';
import type { KnownMesh } from './abstract.ts';
import { authorizationsOf } from './context.ts';
import { trustDomainIn, valuesOf } from './values.ts';

/** In principals whatever the mesh's own trust domain is; also what a mesh of which nothing is known is taken to have. */
export const ownTrustDomain = 'cluster.local';

/** More trust domains than one mesh has to do with. */
const most = 8;

/**
 * All that a mesh may be of which nothing is known: where `cluster.local` stands beside trust domains by name, each of these
 * may be what it stands for. Undefined where there are too many.
 */
export function possibleMeshes<Mesh extends KnownMesh>(
  policies: readonly Policy[],
  mesh: Mesh,
): readonly Mesh[] | undefined {
  if (mesh.trustDomain !== ownTrustDomain) return [mesh];
  const written = authorizationsOf(policies)
    .flatMap(valuesOf)
    .flatMap((value) => trustDomainIn(value) ?? []);
  const named = new Set(written.filter((name) => name !== '*').map(example));
  if (!named.delete(ownTrustDomain) || named.size === 0) return [mesh];
  return named.size > most
    ? undefined
    : [mesh, ...[...named].map((trustDomain) => ({ ...mesh, trustDomain }))];
}

/** One that this pattern of trust domains matches. */
function example(pattern: string): string {
  return pattern.replace('*', 'x');
}
