import type { PolicyWorld } from '../../src/domain/policy/index.ts';
import { matchesText } from './strings.ts';

type Settings = PolicyWorld['settings'];

const parts = /^spiffe:\/\/([^/]+)(\/.*)?$/s;
const ofWorkload = /^\/ns\/([^/]+)\/sa\/([^/]+)$/;

/** A `principals` entry, which under one name of the mesh stands for all that it has. */
export function isSomeCaller(pattern: string, id: string | undefined, settings: Settings): boolean {
  const [, domain, path = ''] = parts.exec(id ?? '') ?? [];
  if (domain === undefined) return false;
  const name = domain + path;
  const slash = pattern.indexOf('/');
  if (slash === -1) return matchesText(pattern, name);
  const written = pattern.slice(0, slash);
  const rest = pattern.slice(slash);
  const names = [settings.trustDomain, ...settings.trustDomainAliases];
  const isOwn = (each: string) => (written[0] === '*' ? each.endsWith(written.slice(1)) : each === written);
  const standsForAll = written !== '*' && (written === 'cluster.local' || names.some(isOwn));
  if (!standsForAll) return matchesText(pattern, name);
  return names.some((each) => matchesText(isOwn(each) ? pattern : each + rest, name));
}

export function isSomeTrustDomain(pattern: string, id: string | undefined, settings: Settings): boolean {
  const [, domain, path] = parts.exec(id ?? '') ?? [];
  if (domain === undefined) return false;
  if (path === undefined) return pattern === '*';
  const names = [settings.trustDomain, ...settings.trustDomainAliases];
  return (names.includes(pattern) ? names : [pattern]).some((each) => matchesText(each, domain));
}

export function isSomeNamespace(pattern: string, id: string | undefined): boolean {
  const [namespace] = workloadOf(id);
  return namespace !== undefined && matchesText(pattern, namespace);
}

/** As `<namespace>/<service account>`: a region has no namespace of its own. */
export function isSomeServiceAccount(entry: string, id: string | undefined): boolean {
  if (!entry.includes('/')) throw new Error(`${entry} names no namespace`);
  return workloadOf(id).join('/') === entry;
}

function workloadOf(id: string | undefined): readonly string[] {
  const [, , path = ''] = parts.exec(id ?? '') ?? [];
  return ofWorkload.exec(path)?.slice(1) ?? [];
}
