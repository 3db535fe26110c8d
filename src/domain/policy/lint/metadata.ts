import { conditionSubject } from '../decide/index.ts';
import { authorizationsOf, type LintContext, type Remark } from './context.ts';

/** The filters in front of policies, and so what can have left something for them; each sees its own protocol. */
const leaving = {
  http: ['envoy.filters.http.ext_authz', 'envoy.filters.http.jwt_authn', 'envoy.filters.http.rbac'],
  tcp: ['envoy.filters.network.ext_authz', 'envoy.filters.network.rbac'],
};

/** Metadata of filters that nobody runs, or that see another protocol. */
export function missingMetadata(context: LintContext): readonly Remark[] {
  return authorizationsOf(context.policies).flatMap((policy) => {
    const found = policy.rules.flatMap(({ when }, at) =>
      when.flatMap(({ key }, index) => {
        const subject = conditionSubject(key);
        const path = ['spec', 'rules', at, 'when', index, 'key'];
        return subject.kind === 'metadata' ? [{ filter: subject.filter, path }] : [];
      }),
    );
    if (found.length === 0) return [];
    const ports = context.workloadsOf(policy).flatMap((workload) => workload.ports);
    const known = [
      ...(ports.length === 0 || ports.some(({ protocol }) => protocol !== 'tcp') ? leaving.http : []),
      ...(ports.length === 0 || ports.some(({ protocol }) => protocol === 'tcp') ? leaving.tcp : []),
    ];
    return found
      .filter(({ filter }) => !known.includes(filter))
      .map(({ filter, path }) => ({
        policy,
        rule: 'missing-metadata',
        path,
        message: `no filter ${filter} stands in front of this policy: there is never anything of it to match`,
        mend: `what leaves something is ${known.join(', ')}`,
      }));
  });
}
