import type { Principal } from '../../../gen/envoy/config/rbac/v3/rbac.ts';
import type { StringMatcher } from '../../../gen/envoy/type/matcher/v3/string.ts';
import { escapeExpression, exact, expression, expressionBudget, prefix, segment, suffix } from './strings.ts';
import { principals } from './terms.ts';

const scheme = 'spiffe://';
const { all, some, not } = principals;

function certificate(principalName: StringMatcher): Principal {
  return { identifier: { $case: 'authenticated', value: { principalName } } };
}

/** An entry of `principals`; `names` are the mesh's trust domain and its aliases. */
export function peerPrincipal(pattern: string, names: readonly string[]): Principal {
  return some(inEveryTrustDomain(pattern, names).map(spiffeId));
}

function spiffeId(pattern: string): Principal {
  if (pattern === '*') return certificate(prefix(scheme));
  if (pattern.startsWith('*')) return endingWith(pattern.slice(1));
  if (pattern.endsWith('*')) return certificate(prefix(`${scheme}${pattern.slice(0, -1)}`));
  return certificate(exact(`${scheme}${pattern}`));
}

/** The tail must lie behind the scheme: `//a` is no end of `spiffe://a`, whose name is `a`. */
function endingWith(tail: string): Principal {
  const overlapping = Array.from({ length: scheme.length }, (_, index) => index + 1)
    .filter((length) => length <= tail.length && scheme.endsWith(tail.slice(0, length)))
    .map((length) => certificate(exact(`${scheme}${tail.slice(length)}`)));
  const ends = [certificate(prefix(scheme)), certificate(suffix(tail))];
  return all(overlapping.length === 0 ? ends : [...ends, not(some(overlapping))]);
}

/**
 * A pattern that names one of the mesh's trust domains, or `cluster.local` for whichever it has, holds for each of them.
 * Where it gives only the end of a trust domain, it stays as it is for those that end so.
 */
function inEveryTrustDomain(pattern: string, names: readonly string[]): readonly string[] {
  const [trustDomain = '', ...path] = pattern.split('/');
  if (path.length === 0 || trustDomain === '*') return [pattern];
  const tail = trustDomain.startsWith('*') ? trustDomain.slice(1) : undefined;
  const named = names.filter((name) => (tail === undefined ? name === trustDomain : name.endsWith(tail)));
  if (named.length === 0 && trustDomain !== 'cluster.local') return [pattern];
  const replaced = names.filter((name) => !named.includes(name)).map((name) => [name, ...path].join('/'));
  return named.length > 0 ? [pattern, ...replaced] : replaced;
}

/** An entry of `trustDomains`, of which the reader keeps those that end in something short enough for an expression. */
export function peerTrustDomain(pattern: string, names: readonly string[]): Principal {
  if (pattern === '*') return certificate(prefix(scheme));
  const somePath = certificate(expression(`${scheme}${segment}/.*`));
  if (pattern.startsWith('*'))
    return certificate(expression(`${scheme}${optional}${escapeExpression(pattern.slice(1))}/.*`));
  if (pattern.endsWith('*')) return all([certificate(prefix(`${scheme}${pattern.slice(0, -1)}`)), somePath]);
  const meant = names.includes(pattern) ? names : [pattern];
  return some(meant.map((name) => certificate(prefix(`${scheme}${name}/`))));
}

const optional = segment.replace(/\+$/, '*');

const workload = certificate(expression(`${scheme}${segment}/ns/${segment}/sa/${segment}`));

/** An entry of `namespaces`, of whichever trust domain. */
export function peerNamespace(pattern: string): Principal {
  const name = pattern === '*' ? '' : pattern.replace(/^\*|\*$/, '');
  const before = pattern.startsWith('*') && pattern !== '*';
  const after = pattern.endsWith('*') && !before && pattern !== '*';
  // Only a name that is longer than any of Kubernetes' comes near what Envoy allows an expression, which counts bytes.
  if (Buffer.byteLength(name) > expressionBudget - 20) {
    const inside = `${before ? '' : '/ns/'}${name}${after ? '' : '/sa/'}`;
    const contains: StringMatcher = { matchPattern: { $case: 'contains', value: inside }, ignoreCase: false };
    return all([workload, certificate(contains)]);
  }
  const namespace =
    pattern === '*' ? segment : `${before ? optional : ''}${escapeExpression(name)}${after ? optional : ''}`;
  return certificate(expression(`${scheme}${segment}/ns/${namespace}/sa/${segment}`));
}

/** `<name>` of the policy's own namespace, or `<namespace>/<name>`. */
export function peerServiceAccount(entry: string, ownNamespace: string): Principal {
  const [namespace, name] = entry.includes('/') ? entry.split(/\/(.*)/, 2) : [ownNamespace, entry];
  return all([workload, certificate(suffix(`/ns/${namespace}/sa/${name}`))]);
}
