import { conditionSubject, isHttpOnly } from '../decide/index.ts';
import type {
  AuthorizationPolicy,
  AuthorizationRule,
  Condition,
  OperationMatch,
  SourceMatch,
} from '../model.ts';
import {
  type Any,
  addresses,
  claim,
  header,
  hosts,
  metadata,
  methods,
  namespaces,
  paths,
  ports,
  principals,
  serverNames,
  serviceAccounts,
  tokenPrincipals,
  trustDomains,
} from './asking/index.ts';

/** One attribute that a rule speaks of; `any` is true where one of the patterns matches. */
export interface FormulaField {
  readonly values: readonly string[];
  readonly notValues: readonly string[];
  readonly httpOnly: boolean;
  readonly any: Any;
  readonly name: string;
}

function field(
  name: string,
  values: readonly string[],
  notValues: readonly string[],
  any: Any,
  httpOnly = false,
): FormulaField {
  return { name, values, notValues, any, httpOnly };
}

/** The fields of a rule, in the shape in which `decide` reads them. */
export interface RuleFormulaFields {
  readonly from: readonly (readonly FormulaField[])[];
  readonly to: readonly (readonly FormulaField[])[];
  readonly when: readonly FormulaField[];
}

export function formulaFields(rule: AuthorizationRule, policy: AuthorizationPolicy): RuleFormulaFields {
  const { namespace } = policy.meta;
  return {
    from: rule.from.map((source) => sourceFields(source, namespace)),
    to: rule.to.map(operationFields),
    when: rule.when.map((condition) => conditionField(condition, namespace)),
  };
}

function sourceFields(source: SourceMatch, namespace: string): readonly FormulaField[] {
  return [
    field('principals', source.principals, source.notPrincipals, principals),
    field('requestPrincipals', source.requestPrincipals, source.notRequestPrincipals, tokenPrincipals, true),
    field('namespaces', source.namespaces, source.notNamespaces, namespaces),
    field('serviceAccounts', source.serviceAccounts, source.notServiceAccounts, serviceAccounts(namespace)),
    field('trustDomains', source.trustDomains, source.notTrustDomains, trustDomains),
    field('ipBlocks', source.ipBlocks, source.notIpBlocks, addresses('sourceIp')),
    field('remoteIpBlocks', source.remoteIpBlocks, source.notRemoteIpBlocks, addresses('remoteIp')),
  ];
}

function operationFields(operation: OperationMatch): readonly FormulaField[] {
  return [
    field('hosts', operation.hosts, operation.notHosts, hosts, true),
    field('ports', operation.ports, operation.notPorts, ports),
    field('methods', operation.methods, operation.notMethods, methods, true),
    field('paths', operation.paths, operation.notPaths, paths, true),
  ];
}

function conditionField({ key: text, values, notValues }: Condition, namespace: string): FormulaField {
  const key = conditionSubject(text);
  const of = (any: Any) => field(text, values, notValues, any, isHttpOnly(key));
  switch (key.kind) {
    case 'header':
      return of(header(key.name));
    case 'claim':
      return of(claim(key.path));
    case 'metadata':
      return of(metadata(key.filter, key.name));
    case 'source.ip':
      return of(addresses('sourceIp'));
    case 'remote.ip':
      return of(addresses('remoteIp'));
    case 'destination.ip':
      return of(addresses('destinationIp'));
    case 'source.namespace':
      return of(namespaces);
    case 'source.principal':
      return of(principals);
    case 'source.serviceAccount':
      return of(serviceAccounts(namespace));
    case 'source.trustDomain':
      return of(trustDomains);
    case 'request.auth.principal':
      return of(tokenPrincipals);
    case 'request.auth.audiences':
      return of(claim(['aud']));
    case 'request.auth.presenter':
      return of(claim(['azp']));
    case 'destination.port':
      return of(ports);
    case 'connection.sni':
      return of(serverNames);
  }
}
