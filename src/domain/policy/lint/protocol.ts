import type { Workload } from '../../mesh/index.ts';
import type { AuthorizationPolicy, AuthorizationRule } from '../model.ts';
import { authorizationsOf, type LintContext, named as listed, nameOf, type Remark } from './context.ts';
import { isHttp, valuesOfRule } from './values.ts';

/**
 * A proxy that passes bytes on knows no methods and paths: there a DENY is taken without such fields, and then denies
 * every connection; an ALLOW is not taken at all, and then lets nobody in.
 */
export function httpOnTcp(context: LintContext): readonly Remark[] {
  return authorizationsOf(context.policies).flatMap((policy) => {
    if (policy.action !== 'DENY' && policy.action !== 'ALLOW') return [];
    const ports = tcpPorts(context.workloadsOf(policy));
    return ports.length === 0 ? [] : policy.rules.flatMap((rule, at) => judge(policy, rule, at, ports));
  });
}

/** Of bytes that are passed on no token is read. */
export function tokensOnTcp(context: LintContext): readonly Remark[] {
  return context.policies.flatMap((policy) => {
    if (policy.kind !== 'RequestAuthentication' || policy.jwtRules.length === 0) return [];
    const ports = context.workloadsOf(policy).flatMap((workload) => workload.ports);
    if (ports.length === 0 || ports.some(({ protocol }) => protocol !== 'tcp')) return [];
    return [
      {
        policy,
        rule: 'tokens-on-tcp',
        path: ['spec', 'jwtRules'],
        message: 'no port of these workloads is HTTP: no token is ever looked for there',
        mend: 'declare the protocol of the ports that are HTTP, or select other workloads',
      },
    ];
  });
}

interface TcpPort {
  readonly port: number;
  /** Whether the workload has no other kind of port. */
  readonly isAlone: boolean;
  /** As in `shop/db:5432`. */
  readonly names: readonly string[];
}

function tcpPorts(workloads: readonly Workload[]): readonly TcpPort[] {
  const found = new Map<string, { port: number; isAlone: boolean; names: string[] }>();
  for (const workload of workloads) {
    const isAlone = workload.ports.every(({ protocol }) => protocol === 'tcp');
    for (const { port, protocol } of workload.ports) {
      if (protocol !== 'tcp') continue;
      const known = found.get(`${port} ${isAlone}`);
      const name = `${nameOf(workload)}:${port}`;
      if (known) known.names.push(name);
      else found.set(`${port} ${isAlone}`, { port, isAlone, names: [name] });
    }
  }
  return [...found.values()];
}

function judge(
  policy: AuthorizationPolicy,
  rule: AuthorizationRule,
  at: number,
  ports: readonly TcpPort[],
): readonly Remark[] {
  const values = valuesOfRule(rule, at);
  const field = values.find(isHttp);
  if (!field) return [];
  // An ALLOW for a workload's HTTP ports is often meant for those alone; one that names the port, or has no other, is not.
  const named = new Set(values.flatMap((one) => (one.field === 'ports' && !one.negated ? [one.value] : [])));
  const hit = ports
    .filter(({ port }) => reachesPort(rule, port))
    .filter(({ port, isAlone }) => policy.action === 'DENY' || isAlone || named.has(String(port)))
    .flatMap(({ names }) => names);
  if (hit.length === 0) return [];
  const places = `${listed(hit)}, which is not HTTP`;
  return [
    {
      policy,
      path: field.path.slice(0, -1),
      ...(policy.action === 'DENY'
        ? {
            rule: 'deny-http-field-on-tcp',
            message: `this field is dropped at ${places}: the rule then denies connections whatever they carry`,
            mend: 'name the HTTP ports that are meant in to.operation.ports',
          }
        : {
            rule: 'allow-http-field-on-tcp',
            message: `the rule is dropped at ${places}: it lets nobody in there`,
            mend: 'write a rule of its own for that port, without fields of HTTP',
          }),
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
