import { once } from '../../../kernel/index.ts';
import type { Workload } from '../../mesh/index.ts';
import type { AuthorizationPolicy } from '../model.ts';
import { authorizationsOf, type LintContext, named, nameOf, type Remark } from './context.ts';
import { isToken, type RuleValue, valuesOf, valuesOfRule } from './values.ts';

const identityFields: ReadonlySet<string> = new Set([
  'principals',
  'namespaces',
  'serviceAccounts',
  'trustDomains',
]);

/** Whether a value asks for something of the caller's certificate. */
export function isIdentity({ field }: RuleValue): boolean {
  return identityFields.has(field);
}

/** Callers that cannot be told, or not as the author thinks. */
export function identities(context: LintContext): readonly Remark[] {
  const isOpen = once(
    (workload: Workload) =>
      workload.ports.length === 0 ||
      workload.ports.some(({ port }) => context.modeOf(workload, port) !== 'STRICT'),
  );
  const isPlain = once(
    (workload: Workload) =>
      workload.ports.length > 0 &&
      workload.ports.every(({ port }) => context.modeOf(workload, port) === 'DISABLE'),
  );
  const readsTokens = once((workload: Workload) =>
    context.policiesOf(workload).some(({ kind }) => kind === 'RequestAuthentication'),
  );
  return [
    ...authorizationsOf(context.policies).flatMap((policy) => [
      ...negativeAlone(policy, context, isOpen),
      ...neverKnown(policy, context, isPlain),
      ...unverifiedTokens(policy, context, readsTokens),
      ...valuesOf(policy).flatMap((value) => badIdentity(policy, value)),
    ]),
    ...optionalTokens(context),
  ];
}

/** Who has no certificate is none of those that are excluded: in plaintext, everybody is let in. */
function negativeAlone(
  policy: AuthorizationPolicy,
  context: LintContext,
  isOpen: (workload: Workload) => boolean,
): readonly Remark[] {
  if (policy.action !== 'ALLOW') return [];
  const open = context.workloadsOf(policy).filter(isOpen);
  if (open.length === 0 && context.workloadsOf(policy).length > 0) return [];
  return policy.rules.flatMap((rule, at) => {
    const isCaller = (value: RuleValue) => isIdentity(value) || value.field === 'requestPrincipals';
    // Each source by itself, since any of them suffices; conditions hold beside each.
    const sources = rule.from.length === 0 ? [undefined] : [...rule.from.keys()];
    const all = valuesOfRule(rule, at);
    return sources.flatMap((source) => {
      const here = all.filter(({ path }) => path[3] !== 'from' || path[4] === source);
      const given = here.filter(isCaller);
      const [first] = given.filter(({ negated, field }) => negated && field !== 'requestPrincipals');
      if (!first || given.some(({ negated }) => !negated)) return [];
      return [
        {
          policy,
          rule: 'negative-identity-alone',
          path: first.path.slice(0, -1),
          message: `lets in every caller without a certificate too: ${open.length === 0 ? 'plaintext' : `${named(open.map(nameOf))} may be called in plaintext, which`} has no identity that could be excluded`,
          mend: 'add principals: ["*"], or deny these callers in a policy with action: DENY',
        },
      ];
    });
  });
}

/** Where mutual TLS is off nobody shows a certificate. */
function neverKnown(
  policy: AuthorizationPolicy,
  context: LintContext,
  isPlain: (workload: Workload) => boolean,
): readonly Remark[] {
  const value = valuesOf(policy).find((each) => isIdentity(each) && !each.negated);
  if (!value) return [];
  const plain = context.workloadsOf(policy).filter(isPlain);
  if (plain.length === 0) return [];
  return [
    {
      policy,
      rule: 'identity-never-known',
      path: value.path.slice(0, -1),
      message: `mutual TLS is disabled for ${named(plain.map(nameOf))}: no caller has an identity there, and none ever matches`,
      mend: 'take back the DISABLE, or match addresses',
    },
  ];
}

function badIdentity(policy: AuthorizationPolicy, given: RuleValue): readonly Remark[] {
  const { field, value, path } = given;
  if (!isIdentity(given)) return [];
  if (field === 'principals' && value.includes('spiffe:'))
    return [
      {
        policy,
        rule: 'principal-with-scheme',
        path,
        message: 'a principal is written without spiffe://; with it, none ever matches',
        mend: `write ${JSON.stringify(value.replace(/spiffe:(?:\/\/)?/, ''))}`,
      },
    ];
  if (/[A-Z]/.test(value) && (field !== 'principals' || /^[^/]*\/ns\//.test(value)))
    return [
      {
        policy,
        rule: 'identity-in-upper-case',
        path,
        message:
          'case counts, and names of trust domains, namespaces and service accounts are in lower case: none ever matches',
        mend: `write ${JSON.stringify(value.toLowerCase())}`,
      },
    ];
  return [];
}

function unverifiedTokens(
  policy: AuthorizationPolicy,
  context: LintContext,
  readsTokens: (workload: Workload) => boolean,
): readonly Remark[] {
  const workloads = context.workloadsOf(policy);
  const token = valuesOf(policy).find(isToken);
  if (!token || workloads.length === 0) return [];
  const without = workloads.filter((workload) => !readsTokens(workload));
  if (without.length === 0) return [];
  return [
    {
      policy,
      rule: 'token-never-verified',
      path: token.path.slice(0, -1),
      message: `no RequestAuthentication holds for ${named(without.map(nameOf))}: no token is read there`,
      mend: 'write a RequestAuthentication for the same workloads',
    },
  ];
}

/** A RequestAuthentication refuses bad tokens, and lets calls without any pass. */
function optionalTokens(context: LintContext): readonly Remark[] {
  const asksForToken = once((policy: AuthorizationPolicy) => valuesOf(policy).some(isToken));
  const isOptional = once((workload: Workload) =>
    authorizationsOf(context.policiesOf(workload)).every((one) => one.dryRun || !asksForToken(one)),
  );
  return context.policies.flatMap((policy) => {
    if (policy.kind !== 'RequestAuthentication' || policy.jwtRules.length === 0) return [];
    const open = context.workloadsOf(policy).filter(isOptional);
    if (open.length === 0) return [];
    return [
      {
        policy,
        rule: 'token-not-required',
        path: ['spec', 'jwtRules'],
        message: `calls to ${named(open.map(nameOf))} that carry no token at all still pass`,
        mend: 'require one by an AuthorizationPolicy with requestPrincipals: ["*"]',
      },
    ];
  });
}
