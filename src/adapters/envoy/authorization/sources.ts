import type { SourceMatch } from '../../../domain/policy/index.ts';
import type { Principal } from '../../../gen/envoy/config/rbac/v3/rbac.ts';
import { peerNamespace, peerPrincipal, peerServiceAccount, peerTrustDomain } from './peers.ts';
import { cidr } from './strings.ts';
import { attribute, principals } from './terms.ts';
import { tokenPrincipal } from './tokens.ts';

export function directIp(block: string): Principal {
  return { identifier: { $case: 'directRemoteIp', value: cidr(block) } };
}

export function remoteIp(block: string): Principal {
  return { identifier: { $case: 'remoteIp', value: cidr(block) } };
}

/** Without the fields that need HTTP where there is none. */
export function source(
  match: SourceMatch,
  options: { readonly http: boolean; readonly names: readonly string[]; readonly namespace: string },
): Principal {
  const { names, namespace } = options;
  const of = (values: readonly string[], notValues: readonly string[], term: (value: string) => Principal) =>
    attribute(principals, values, notValues, term);
  return principals.all([
    ...of(match.principals, match.notPrincipals, (value) => peerPrincipal(value, names)),
    ...(options.http ? of(match.requestPrincipals, match.notRequestPrincipals, tokenPrincipal) : []),
    ...of(match.namespaces, match.notNamespaces, peerNamespace),
    ...of(match.serviceAccounts, match.notServiceAccounts, (value) => peerServiceAccount(value, namespace)),
    ...of(match.trustDomains, match.notTrustDomains, (value) => peerTrustDomain(value, names)),
    ...of(match.ipBlocks, match.notIpBlocks, directIp),
    ...of(match.remoteIpBlocks, match.notRemoteIpBlocks, remoteIp),
  ]);
}
