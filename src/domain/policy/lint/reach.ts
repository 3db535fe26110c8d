import { once } from '../../../kernel/index.ts';
import type { Workload } from '../../mesh/index.ts';
import type { RuleOf } from '../exact/index.ts';
import type { AuthorizationPolicy } from '../model.ts';
import { authorizationsOf, type LintContext, named, nameOf, type Remark } from './context.ts';
import { Asking, everywhere } from './effect/index.ts';
import { reachesPort } from './protocol.ts';
import { isHttp, valuesOfRule } from './values.ts';

/** Rules that nothing can match, ALLOWs that let nobody in, PeerAuthentications that never count. */
export function reach(context: LintContext): readonly Remark[] {
  const asking = new Asking(context.registry.settings, context.comparisons);
  const isShut = once((workload: Workload) =>
    authorizationsOf(context.policiesOf(workload))
      .filter(({ action, dryRun }) => action === 'ALLOW' && !dryRun)
      .every((policy) => !policy.rules.some((_, rule) => letsIn({ policy, rule }, workload, asking))),
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
  return [];
}

/** Whether a rule of an ALLOW can let anybody in at a workload. */
function letsIn(one: RuleOf, workload: Workload, asking: Asking): boolean {
  asking.begin();
  const rule = one.policy.rules[one.rule];
  if (!rule || asking.besideAnywhere(one, [], everywhere) === 'nothing') return false;
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
