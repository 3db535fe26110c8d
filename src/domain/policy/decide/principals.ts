import { matchesPattern } from './strings.ts';

const scheme = 'spiffe://';

export interface MeshNames {
  readonly trustDomain: string;
  readonly trustDomainAliases: readonly string[];
}

/** A `principals` entry, written without the scheme, against the SPIFFE ID of a peer. */
export function matchesPrincipal(pattern: string, spiffeId: string, mesh: MeshNames): boolean {
  if (!spiffeId.startsWith(scheme)) return false;
  const name = spiffeId.slice(scheme.length);
  return underAllNames(pattern, mesh).some((each) => matchesPattern(each, name));
}

/**
 * A mesh that moves from one trust domain to another is known by both, and `cluster.local` means "this mesh": a pattern
 * whose trust domain is one of these stands for all of them. A trust domain may be written `*tail`.
 */
export function underAllNames(
  pattern: string,
  { trustDomain, trustDomainAliases }: MeshNames,
): readonly string[] {
  const slash = pattern.indexOf('/');
  if (slash === -1) return [pattern];
  const written = pattern.slice(0, slash);
  const path = pattern.slice(slash);
  const names = [trustDomain, ...trustDomainAliases];
  const meant = (name: string) =>
    written.startsWith('*') ? name.endsWith(written.slice(1)) : name === written;
  if (written === '*' || !(written === 'cluster.local' || names.some(meant))) return [pattern];
  return names.map((name) => (meant(name) ? pattern : `${name}${path}`));
}

/** `*` is any; a name of the mesh stands for all that it has. */
export function matchesTrustDomain(pattern: string, spiffeId: string, mesh: MeshNames): boolean {
  if (!spiffeId.startsWith(scheme)) return false;
  if (pattern === '*') return true;
  const [trustDomain = '', ...path] = spiffeId.slice(scheme.length).split('/');
  return path.length > 0 && trustDomainsOf(pattern, mesh).some((each) => matchesPattern(each, trustDomain));
}

/** All patterns that one stands for. */
export function trustDomainsOf(pattern: string, mesh: MeshNames): readonly string[] {
  const names = [mesh.trustDomain, ...mesh.trustDomainAliases];
  return names.includes(pattern) ? names : [pattern];
}

const workload = /^spiffe:\/\/[^/]+\/ns\/([^/]+)\/sa\/([^/]+)$/;

/** The namespace in a peer's SPIFFE ID, of any trust domain. */
export function matchesNamespace(pattern: string, spiffeId: string): boolean {
  const namespace = workload.exec(spiffeId)?.[1];
  return namespace !== undefined && matchesPattern(pattern, namespace);
}

/** `<name>` of the policy's own namespace, or `<namespace>/<name>`; without wildcards. */
export function matchesServiceAccount(entry: string, spiffeId: string, ownNamespace: string): boolean {
  const [, namespace, name] = workload.exec(spiffeId) ?? [];
  if (namespace === undefined) return false;
  return (entry.includes('/') ? entry : `${ownNamespace}/${entry}`) === `${namespace}/${name}`;
}
