import type {
  AuthorizationAction,
  AuthorizationPolicy,
  AuthorizationRule,
  Condition,
  DecisionContext,
  HttpAttributes,
  OperationMatch,
  PolicyRequest,
  SourceMatch,
  Verdict,
} from '../../../../../src/domain/policy/index.ts';

export type RuleText = {
  readonly from?: readonly Partial<SourceMatch>[];
  readonly to?: readonly Partial<OperationMatch>[];
  readonly when?: readonly ({ readonly key: string } & Partial<Condition>)[];
};

const noSource: SourceMatch = {
  principals: [],
  notPrincipals: [],
  requestPrincipals: [],
  notRequestPrincipals: [],
  namespaces: [],
  notNamespaces: [],
  serviceAccounts: [],
  notServiceAccounts: [],
  trustDomains: [],
  notTrustDomains: [],
  ipBlocks: [],
  notIpBlocks: [],
  remoteIpBlocks: [],
  notRemoteIpBlocks: [],
};
const noOperation: OperationMatch = {
  hosts: [],
  notHosts: [],
  ports: [],
  notPorts: [],
  methods: [],
  notMethods: [],
  paths: [],
  notPaths: [],
};

function rule({ from = [], to = [], when = [] }: RuleText): AuthorizationRule {
  return {
    from: from.map((source) => ({ ...noSource, ...source })),
    to: to.map((operation) => ({ ...noOperation, ...operation })),
    when: when.map((condition) => ({ values: [], notValues: [], ...condition })),
  };
}

/** A policy as its reader would give it, in namespace `shop`. */
export function policy(
  action: AuthorizationAction,
  rules: readonly RuleText[],
  rest: Partial<Pick<AuthorizationPolicy, 'dryRun' | 'provider'>> & { readonly name?: string } = {},
): AuthorizationPolicy {
  const { name = 'p', ...fields } = rest;
  return {
    kind: 'AuthorizationPolicy',
    meta: { namespace: 'shop', name, generation: 0, origin: { source: 'test' } },
    selector: undefined,
    targetRefs: [],
    action,
    provider: undefined,
    dryRun: false,
    rules: rules.map(rule),
    ...fields,
  };
}

const front = 'spiffe://mesh.example/ns/shop/sa/front';

export function request(
  http: Partial<HttpAttributes> = {},
  rest: Omit<Partial<PolicyRequest>, 'http'> = {},
): PolicyRequest {
  return {
    http: { method: 'GET', path: '/', host: 'cart.shop', headers: {}, ...http },
    sourcePrincipal: front,
    sourceIp: '10.1.2.3',
    remoteIp: '10.1.2.3',
    destinationIp: '10.9.9.9',
    destinationPort: 8080,
    ...rest,
  };
}

export function context(
  rest: Partial<Omit<DecisionContext, 'customVerdicts'>> & {
    readonly custom?: Readonly<Record<string, Verdict>>;
  } = {},
): DecisionContext {
  const { custom = {}, ...fields } = rest;
  return {
    trustDomain: 'mesh.example',
    trustDomainAliases: [],
    tcp: false,
    customVerdicts: new Map(Object.entries(custom)),
    ...fields,
  };
}
