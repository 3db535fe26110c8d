import {
  type Condition,
  type ConditionSubject,
  conditionSubject,
  isHttpOnly,
  listPattern,
} from '../../../domain/policy/index.ts';
import type { Permission, Principal } from '../../../gen/envoy/config/rbac/v3/rbac.ts';
import type { ValueMatcher } from '../../../gen/envoy/type/matcher/v3/value.ts';
import { permissionMetadata } from './metadata.ts';
import { destinationIp, destinationPort, serverName } from './operations.ts';
import { peerNamespace, peerPrincipal, peerServiceAccount, peerTrustDomain } from './peers.ts';
import { directIp, remoteIp } from './sources.ts';
import { anyInList, headerMatcher, patternMatcher, stringValue } from './strings.ts';
import { attribute, permissions, principals } from './terms.ts';
import { claim, tokenPrincipal } from './tokens.ts';

export interface ConditionOptions {
  readonly http: boolean;
  readonly names: readonly string[];
  readonly namespace: string;
  readonly port: number | undefined;
}

/** All conditions of a rule, split as RBAC wants them: of what is asked, and of who asks. */
export function conditions(
  all: readonly Condition[],
  options: ConditionOptions,
): { readonly asked: readonly Permission[]; readonly asking: readonly Principal[] } {
  const known = all
    .map((condition) => ({ ...condition, key: conditionSubject(condition.key) }))
    .filter(({ key }) => options.http || !isHttpOnly(key));
  return {
    asked: known.flatMap(({ key, values, notValues }) => {
      const term = ofDestination(key, options);
      return term === undefined ? [] : attribute(permissions, values, notValues, term);
    }),
    asking: known.flatMap(({ key, values, notValues }) => {
      const term = ofSource(key, options);
      return term === undefined ? [] : attribute(principals, values, notValues, term);
    }),
  };
}

function ofDestination(
  key: ConditionSubject,
  { port }: ConditionOptions,
): ((value: string) => Permission) | undefined {
  const { kind } = key;
  if (kind === 'metadata') return (value) => permissionMetadata(key.filter, [key.name], metadataValue(value));
  if (kind === 'destination.ip') return destinationIp;
  if (kind === 'destination.port') return (value) => destinationPort(value, port);
  return kind === 'connection.sni' ? serverName : undefined;
}

function metadataValue(value: string): ValueMatcher {
  const inList = listPattern(value);
  return inList === undefined ? stringValue(patternMatcher(value)) : anyInList(patternMatcher(inList));
}

function ofSource(
  key: ConditionSubject,
  { names, namespace }: ConditionOptions,
): ((value: string) => Principal) | undefined {
  switch (key.kind) {
    case 'header':
      return (value) => ({ identifier: { $case: 'header', value: headerMatcher(key.name, value) } });
    case 'claim':
      return (value) => claim(key.path, value);
    case 'request.auth.principal':
      return tokenPrincipal;
    case 'request.auth.audiences':
      return (value) => claim(['aud'], value);
    case 'request.auth.presenter':
      return (value) => claim(['azp'], value);
    case 'source.ip':
      return directIp;
    case 'remote.ip':
      return remoteIp;
    case 'source.namespace':
      return peerNamespace;
    case 'source.principal':
      return (value) => peerPrincipal(value, names);
    case 'source.serviceAccount':
      return (value) => peerServiceAccount(value, namespace);
    case 'source.trustDomain':
      return (value) => peerTrustDomain(value, names);
    case 'metadata':
    case 'destination.ip':
    case 'destination.port':
    case 'connection.sni':
      return undefined;
  }
}
