import { z } from 'zod';
import { mend } from '../../../yaml/index.ts';
import type {
  AuthorizationPolicy,
  AuthorizationRule,
  Condition,
  OperationMatch,
  SourceMatch,
} from '../model.ts';
import { checkAction } from './action.ts';
import { faultOfConditionValue, parseConditionKey } from './condition.ts';
import type { ReadMeta } from './metadata.ts';
import { faultOfPath } from './path.ts';
import { checkTargeting, readTargeting, targeting } from './target.ts';
import {
  checked,
  faultOfIpBlock,
  faultOfMethod,
  faultOfPort,
  faultOfServiceAccount,
  faultOfTrustDomain,
  limits,
  list,
  text,
} from './values.ts';

const ipBlocks = () => list(checked(faultOfIpBlock));
const serviceAccounts = () => list(checked(faultOfServiceAccount), limits.serviceAccounts);
const trustDomains = () => list(checked(faultOfTrustDomain));

const sourceLists = {
  principals: list(text()),
  notPrincipals: list(text()),
  requestPrincipals: list(text()),
  notRequestPrincipals: list(text()),
  namespaces: list(text()),
  notNamespaces: list(text()),
  serviceAccounts: serviceAccounts(),
  notServiceAccounts: serviceAccounts(),
  trustDomains: trustDomains(),
  notTrustDomains: trustDomains(),
  ipBlocks: ipBlocks(),
  notIpBlocks: ipBlocks(),
  remoteIpBlocks: ipBlocks(),
  notRemoteIpBlocks: ipBlocks(),
};

const operationLists = {
  hosts: list(text()),
  notHosts: list(text()),
  ports: list(checked(faultOfPort)),
  notPorts: list(checked(faultOfPort)),
  methods: list(checked(faultOfMethod)),
  notMethods: list(checked(faultOfMethod)),
  paths: list(checked(faultOfPath)),
  notPaths: list(checked(faultOfPath)),
};

const source = z.strictObject(sourceLists).superRefine((given, context) => {
  refuseEmpty('source', given, context);
  const account = given.serviceAccounts ? 'serviceAccounts' : 'notServiceAccounts';
  const other = (['principals', 'notPrincipals', 'namespaces', 'notNamespaces'] as const).find(
    (key) => given[key] !== undefined,
  );
  if (other !== undefined && given[account] !== undefined)
    context.addIssue({
      code: 'custom',
      path: [account],
      message: `${account} and ${other} cannot be in one source`,
      ...mend('write NAMESPACE/NAME in serviceAccounts, or two sources'),
    });
});

const operation = z.strictObject(operationLists).superRefine((given, context) => {
  refuseEmpty('operation', given, context);
});

const condition = z
  .strictObject({ key: text(), values: list(text()), notValues: list(text()) })
  .superRefine(({ key, values, notValues }, context) => {
    const parsed = parseConditionKey(key);
    if ('message' in parsed) {
      context.addIssue({ code: 'custom', path: ['key'], ...issueOf(parsed) });
      return;
    }
    const most = parsed.attribute === 'source.serviceAccount' ? limits.serviceAccounts : limits.values;
    for (const [name, given] of Object.entries({ values, notValues })) {
      if (given && given.length > most)
        context.addIssue({ code: 'custom', path: [name], message: `must not hold more than ${most}` });
    }
    if (!values && !notValues)
      context.addIssue({ code: 'custom', message: 'at least one of values and notValues must be there' });
    for (const [name, given] of Object.entries({ values, notValues })) {
      for (const [index, value] of (given ?? []).entries()) {
        const fault = faultOfConditionValue(parsed, value);
        if (fault) context.addIssue({ code: 'custom', path: [name, index], ...issueOf(fault) });
      }
    }
  });

function issueOf(fault: { readonly message: string; readonly mend?: string }) {
  return { message: fault.message, ...(fault.mend === undefined ? {} : mend(fault.mend)) };
}

function refuseEmpty(name: string, given: object, context: z.RefinementCtx): void {
  // An unknown key is what is wrong then, and is told already.
  if (context.issues.length > 0) return;
  if (Object.values(given).every((part) => part === undefined))
    context.addIssue({
      code: 'custom',
      message: `an empty ${name} is refused: it would match everything`,
      ...mend(`leave the ${name === 'source' ? 'from' : 'to'} out, if everything is meant`),
    });
}

const rule = z.strictObject({
  from: list(z.strictObject({ source }), limits.parts),
  to: list(z.strictObject({ operation }), limits.parts),
  // As Istio has it: an empty `when` is none.
  when: z.array(condition).max(limits.parts).optional(),
});

export const authorizationSpec = z
  .strictObject({
    ...targeting,
    action: z.enum(['ALLOW', 'DENY', 'AUDIT', 'CUSTOM']).optional(),
    provider: z.strictObject({ name: text() }).optional(),
    rules: z.array(rule).max(limits.rules, `must not hold more than ${limits.rules} rules`).optional(),
  })
  .superRefine((spec, context) => {
    checkTargeting(spec, context);
    checkAction(spec, context);
  });

type AuthorizationSpec = z.output<typeof authorizationSpec>;

export function readAuthorizationPolicy(
  { meta, dryRun }: ReadMeta,
  spec: AuthorizationSpec,
): AuthorizationPolicy {
  return {
    kind: 'AuthorizationPolicy',
    meta,
    ...readTargeting(spec),
    action: spec.action ?? 'ALLOW',
    provider: spec.provider?.name,
    dryRun,
    rules: (spec.rules ?? []).map(toRule),
  };
}

function toRule({ from = [], to = [], when = [] }: z.output<typeof rule>): AuthorizationRule {
  return {
    from: from.map(({ source: given }) => toSource(given)),
    to: to.map(({ operation: given }) => toOperation(given)),
    when: when.map(toCondition),
  };
}

function toCondition({ key, values = [], notValues = [] }: z.output<typeof condition>): Condition {
  return key === 'destination.port'
    ? { key, values: values.map(plainPort), notValues: notValues.map(plainPort) }
    : { key, values, notValues };
}

/** Istio takes 080 for 80. */
function plainPort(port: string): string {
  return String(Number(port));
}

function toSource(given: z.output<typeof source>): SourceMatch {
  return {
    principals: given.principals ?? [],
    notPrincipals: given.notPrincipals ?? [],
    requestPrincipals: given.requestPrincipals ?? [],
    notRequestPrincipals: given.notRequestPrincipals ?? [],
    namespaces: given.namespaces ?? [],
    notNamespaces: given.notNamespaces ?? [],
    serviceAccounts: given.serviceAccounts ?? [],
    notServiceAccounts: given.notServiceAccounts ?? [],
    trustDomains: given.trustDomains ?? [],
    notTrustDomains: given.notTrustDomains ?? [],
    ipBlocks: given.ipBlocks ?? [],
    notIpBlocks: given.notIpBlocks ?? [],
    remoteIpBlocks: given.remoteIpBlocks ?? [],
    notRemoteIpBlocks: given.notRemoteIpBlocks ?? [],
  };
}

function toOperation(given: z.output<typeof operation>): OperationMatch {
  return {
    hosts: given.hosts ?? [],
    notHosts: given.notHosts ?? [],
    ports: (given.ports ?? []).map(plainPort),
    notPorts: (given.notPorts ?? []).map(plainPort),
    methods: given.methods ?? [],
    notMethods: given.notMethods ?? [],
    paths: given.paths ?? [],
    notPaths: given.notPaths ?? [],
  };
}
