import { once } from '../../../kernel/index.ts';
import type { Workload } from '../../mesh/index.ts';
import type { AuthorizationPolicy, AuthorizationRule } from '../model.ts';
import { authorizationsOf, type LintContext, named, nameOf, type Remark } from './context.ts';
import { coversOf } from './cover.ts';
import { reachesPort } from './protocol.ts';
import { conditionField, isHttp, valuesOfRule } from './values.ts';

/** Rules that nothing can match, ALLOWs that let nobody in, PeerAuthentications that never count. */
export function reach(context: LintContext): readonly Remark[] {
  const isShut = once((workload: Workload) =>
    authorizationsOf(context.policiesOf(workload))
      .filter(({ action, dryRun }) => action === 'ALLOW' && !dryRun)
      .every(({ rules }) => !rules.some((rule) => letsIn(rule, workload))),
  );
  return [
    ...authorizationsOf(context.policies).flatMap((policy) => [
      ...impossibleRules(policy),
      ...shutOut(policy, context, isShut),
    ]),
    ...shadowed(context),
  ];
}

function impossibleRules(policy: AuthorizationPolicy): readonly Remark[] {
  if (policy.rules.length === 0 && policy.action === 'AUDIT')
    return [
      {
        policy,
        rule: 'rule-never-matches',
        path: ['spec'],
        message: 'without a rule nothing is ever marked for audit',
        mend: 'write rules: [{}], if every request is meant',
      },
    ];
  return policy.rules.flatMap((rule, at) =>
    isPossible(rule)
      ? []
      : [
          {
            policy,
            rule: 'rule-never-matches',
            path: ['spec', 'rules', at],
            message: 'what this rule asks for it also excludes, so that nothing ever matches',
            mend: 'take the values out of one of the two lists',
          },
        ],
  );
}

function isPossible({ from, to, when }: AuthorizationRule): boolean {
  return (
    (from.length === 0 || from.some((source) => listsOf(source).every(admitsSome))) &&
    (to.length === 0 || to.some((operation) => listsOf(operation).every(admitsSome))) &&
    when.every(({ key, values, notValues }) => admitsSome([conditionField(key), values, notValues]))
  );
}

/** More than that nobody wrote by hand, and nobody contradicted himself in. */
const mostPairs = 250_000;

type Lists = readonly [field: string, values: readonly string[], notValues: readonly string[]];

function listsOf(given: object): readonly Lists[] {
  const lists = new Map<string, readonly string[]>(Object.entries(given));
  return [...lists].flatMap(([name, values]): readonly Lists[] =>
    name.startsWith('not')
      ? []
      : [[name, values, lists.get(`not${name.charAt(0).toUpperCase()}${name.slice(1)}`) ?? []]],
  );
}

function admitsSome([field, values, notValues]: Lists): boolean {
  const covers = coversOf(field);
  if (values.length * notValues.length > mostPairs) return true;
  return values.length === 0 || values.some((value) => !notValues.some((not) => covers(not, value)));
}

/** Whether a rule of an ALLOW can let anybody in at a workload. */
function letsIn(rule: AuthorizationRule, workload: Workload): boolean {
  if (!isPossible(rule)) return false;
  const isOfHttp = valuesOfRule(rule, 0).some(isHttp);
  return (
    workload.ports.length === 0 ||
    workload.ports.some(({ port, protocol }) => reachesPort(rule, port) && !(isOfHttp && protocol === 'tcp'))
  );
}

function shutOut(
  policy: AuthorizationPolicy,
  context: LintContext,
  isShut: (workload: Workload) => boolean,
): readonly Remark[] {
  if (policy.action !== 'ALLOW' || policy.dryRun) return [];
  const shut = context.workloadsOf(policy).filter(isShut);
  if (shut.length === 0) return [];
  return [
    {
      policy,
      rule: 'allow-shuts-out-everyone',
      path: policy.rules.length === 0 ? ['spec'] : ['spec', 'rules'],
      message: `where there is an ALLOW, what none matches is denied; nothing can match one for ${named(shut.map(nameOf))}, which nobody can call any more`,
      mend: 'add an ALLOW for the callers that are meant',
    },
  ];
}

function shadowed(context: LintContext): readonly Remark[] {
  const counting = once((workload: Workload) => new Set(context.policiesOf(workload)));
  return context.policies.flatMap((policy) => {
    if (policy.kind !== 'PeerAuthentication') return [];
    const workloads = context.workloadsOf(policy);
    if (workloads.length === 0 || workloads.some((one) => counting(one).has(policy))) return [];
    return [
      {
        policy,
        rule: 'shadowed-peer-authentication',
        path: ['spec'],
        message: 'an older PeerAuthentication of the same level counts wherever this one would',
        mend: 'change the older one, and remove this one',
      },
    ];
  });
}
