import type { Workload } from '../../mesh/index.ts';
import type { AuthorizationPolicy, AuthorizationRule } from '../model.ts';
import { authorizationsOf, type LintContext, named, nameOf, type Remark } from './context.ts';
import { isHttp, valuesOfRule } from './values.ts';

/**
 * A proxy that passes bytes on knows no methods and paths: there a DENY is taken without such fields, and then denies
 * every connection; an ALLOW is not taken at all, and then lets nobody in.
 */
export function httpOnTcp(context: LintContext): readonly Remark[] {
  return authorizationsOf(context.policies).flatMap((policy) =>
    policy.action === 'DENY' || policy.action === 'ALLOW'
      ? policy.rules.flatMap((rule, at) => judge(policy, rule, at, context.workloadsOf(policy)))
      : [],
  );
}

function judge(
  policy: AuthorizationPolicy,
  rule: AuthorizationRule,
  at: number,
  workloads: readonly Workload[],
): readonly Remark[] {
  const field = valuesOfRule(rule, at).find(isHttp);
  if (!field) return [];
  const path = field.path.slice(0, -1);
  const hit = workloads.flatMap((workload) =>
    workload.ports
      .filter(({ port, protocol }) => protocol === 'tcp' && reachesPort(rule, port))
      .filter(({ port }) => policy.action === 'DENY' || isMeant(rule, port, workload))
      .map(({ port }) => `${nameOf(workload)}:${port}`),
  );
  if (hit.length === 0) return [];
  const tcp = 'which is not HTTP';
  return [
    policy.action === 'DENY'
      ? {
          policy,
          rule: 'deny-http-field-on-tcp',
          path,
          message: `this field is dropped at ${named(hit)}, ${tcp}: the rule then denies connections whatever they carry`,
          mend: 'name the HTTP ports that are meant in to.operation.ports',
        }
      : {
          policy,
          rule: 'allow-http-field-on-tcp',
          path,
          message: `the rule is dropped at ${named(hit)}, ${tcp}: it lets nobody in there`,
          mend: 'write a rule of its own for that port, without fields of HTTP',
        },
  ];
}

/** Whether a rule can hold for a port. */
export function reachesPort({ to, when }: AuthorizationRule, port: number): boolean {
  const text = String(port);
  const admits = (values: readonly string[], notValues: readonly string[]) =>
    (values.length === 0 || values.includes(text)) && !notValues.includes(text);
  return (
    (to.length === 0 || to.some(({ ports, notPorts }) => admits(ports, notPorts))) &&
    when.every(({ key, values, notValues }) => key !== 'destination.port' || admits(values, notValues))
  );
}

/** An ALLOW for a workload's HTTP ports is often meant for those alone; one that names the port, or has no other, is not. */
function isMeant(rule: AuthorizationRule, port: number, { ports }: Workload): boolean {
  return (
    ports.every(({ protocol }) => protocol === 'tcp') ||
    valuesOfRule(rule, 0).some(
      ({ field, negated, value }) => field === 'ports' && !negated && value === String(port),
    )
  );
}
