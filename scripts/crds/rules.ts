import type { PolicyKind } from '../../src/domain/policy/index.ts';
import type { Schema, Validation } from './structural.ts';

/** What is put over the schema at a path: limits that the reader checks in code, and rules between fields in CEL. */
export interface Addition extends Pick<Schema, 'minProperties' | 'maxProperties'> {
  readonly rules?: readonly Validation[];
}

const selected =
  'has(self.selector) && has(self.selector.matchLabels) && size(self.selector.matchLabels) > 0';

const oneTarget: Validation = {
  rule: '(has(self.selector) ? 1 : 0) + (has(self.targetRef) ? 1 : 0) + (has(self.targetRefs) ? 1 : 0) <= 1',
  message: 'only one of selector and targetRefs may be there: write two policies',
};
const ownNamespace: Validation = {
  rule: "!has(self.namespace) || self.namespace == ''",
  message: 'a target of another namespace cannot be named: put the policy into its namespace',
};
const rightGroup: Validation = {
  rule:
    "self.kind == 'Service' ? (!has(self.group) || self.group in ['', 'core']) : " +
    "has(self.group) && self.group == (self.kind == 'ServiceEntry' ? 'networking.istio.io' : 'gateway.networking.k8s.io')",
  message: 'group must be that of the kind: core for Service, networking.istio.io for ServiceEntry',
};

const targets: Readonly<Record<string, Addition>> = {
  '': { rules: [oneTarget] },
  'selector.matchLabels': { maxProperties: 4096 },
  targetRef: { rules: [ownNamespace, rightGroup] },
  'targetRefs[]': { rules: [ownNamespace, rightGroup] },
};

/** As the reader of policies has it; it has the last word. */
export const additions: Readonly<Record<PolicyKind, Readonly<Record<string, Addition>>>> = {
  AuthorizationPolicy: {
    ...targets,
    '': {
      rules: [
        oneTarget,
        {
          rule: "has(self.provider) == (has(self.action) && self.action == 'CUSTOM')",
          message: 'the action CUSTOM needs provider.name, and no other takes one',
        },
        {
          rule: "!(has(self.action) && self.action in ['CUSTOM', 'DENY']) || (has(self.rules) && size(self.rules) > 0)",
          message: 'CUSTOM and DENY without a rule never apply: write rules: [{}], if every request is meant',
        },
      ],
    },
    'rules[].from[].source': {
      minProperties: 1,
      rules: [
        {
          rule:
            '!(has(self.serviceAccounts) || has(self.notServiceAccounts)) || !(has(self.principals) || ' +
            'has(self.notPrincipals) || has(self.namespaces) || has(self.notNamespaces))',
          message: 'service accounts cannot be in one source with principals or namespaces',
        },
      ],
    },
    'rules[].to[].operation': { minProperties: 1 },
    'rules[].when[]': {
      rules: [
        {
          rule: 'has(self.values) || has(self.notValues)',
          message: 'at least one of values and notValues must be there',
        },
      ],
    },
  },
  PeerAuthentication: {
    '': {
      rules: [
        {
          rule: `!has(self.portLevelMtls) || (${selected})`,
          message: 'modes of ports need a selector: ports are a workload’s own',
        },
      ],
    },
    'selector.matchLabels': { maxProperties: 4096 },
    portLevelMtls: {
      minProperties: 1,
      maxProperties: 64,
      rules: [
        {
          rule: "self.all(port, port.matches('^[1-9][0-9]{0,4}$') && int(port) <= 65535)",
          message: 'ports are single numbers from 1 to 65535',
        },
      ],
    },
  },
  RequestAuthentication: {
    ...targets,
    'jwtRules[]': {
      rules: [
        {
          rule: '(has(self.jwks) ? 1 : 0) + (has(self.jwksUri) ? 1 : 0) + (has(self.jwks_uri) ? 1 : 0) <= 1',
          message: 'only one of jwks and jwksUri may be there',
        },
        {
          rule: 'has(self.issuer) || has(self.jwksUri) || has(self.jwks_uri)',
          message: 'issuer is required where there is no jwksUri',
        },
      ],
    },
  },
};
