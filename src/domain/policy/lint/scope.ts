import { TrustDomain } from '@citadel/spiffe';
import { once } from '../../../kernel/index.ts';
import type { Workload } from '../../mesh/index.ts';
import type { Policy } from '../model.ts';
import { authorizationsOf, type LintContext, named, nameOf, type Remark } from './context.ts';
import { patternCovers } from './pattern.ts';
import { ownTrustDomain } from './possible-meshes.ts';
import { type RuleValue, trustDomainIn, valuesOf } from './values.ts';

/** What a policy names and what is not there: workloads, targets, ports, providers, trust domains. */
export function missingThings(context: LintContext): readonly Remark[] {
  return [
    ...context.policies.flatMap((policy) => missingScope(policy, context)),
    ...missingPorts(context),
    ...missingProviders(context),
    ...missingTrustDomains(context),
  ];
}

function missingScope(policy: Policy, context: LintContext): readonly Remark[] {
  const { registry } = context;
  const remark = (rule: string, path: Remark['path'], message: string, mend: string): Remark => ({
    policy,
    rule,
    path,
    message,
    mend,
  });
  const isRoot = policy.meta.namespace === registry.settings.rootNamespace;
  if (policy.kind === 'PeerAuthentication' && isRoot && policy.selector)
    return [
      remark(
        'selector-in-root-namespace',
        ['spec', 'selector'],
        'a PeerAuthentication of the root namespace that has a selector is passed over',
        'put it into the namespace of the workloads, or leave the selector out',
      ),
    ];
  const targets = policy.kind === 'PeerAuthentication' ? [] : policy.targetRefs;
  const missing = targets.flatMap(({ kind, name }, index) => {
    const path = ['spec', 'targetRefs', index, 'name'];
    if (kind !== 'Service')
      return [
        remark(
          'target-without-effect',
          path,
          `no proxy here stands for a ${kind}`,
          'name a Service, or select workloads',
        ),
      ];
    return registry.services.has(`${policy.meta.namespace}/${name}`)
      ? []
      : [
          remark(
            'missing-target',
            path,
            `there is no service ${policy.meta.namespace}/${name}`,
            'name a service of the policy’s own namespace',
          ),
        ];
  });
  if (targets.length > 0 || context.workloadsOf(policy).length > 0) return missing;
  return [
    policy.selector
      ? remark(
          'selector-matches-nothing',
          ['spec', 'selector'],
          'no workload has all these labels, so that the policy holds for none',
          'compare the labels with those of the workloads',
        )
      : remark(
          'namespace-without-workloads',
          ['metadata', 'namespace'],
          `there is no workload in the namespace ${policy.meta.namespace}`,
          'check the name of the namespace',
        ),
  ];
}

function missingPorts(context: LintContext): readonly Remark[] {
  return context.policies.flatMap((policy) => {
    const workloads = context.workloadsOf(policy);
    if (workloads.length === 0) return [];
    const known = new Set(workloads.flatMap(({ ports }) => ports.map(({ port }) => String(port))));
    const given =
      policy.kind === 'AuthorizationPolicy'
        ? valuesOf(policy).filter(({ field, negated }) => field === 'ports' && !negated)
        : policy.kind === 'PeerAuthentication'
          ? [...policy.portLevel.keys()].map((port) => ({
              value: String(port),
              path: ['spec', 'portLevelMtls', String(port)],
            }))
          : [];
    return given
      .filter(({ value }) => !known.has(value))
      .map(({ value, path }) => ({
        policy,
        rule: 'missing-port',
        path,
        message: `no workload that the policy holds for has the port ${value}`,
        mend: `name the workload’s own port, not the service’s: ${named([...known])}`,
      }));
  });
}

function missingProviders(context: LintContext): readonly Remark[] {
  const known = context.registry.settings.authorizationProviders.map(({ name }) => name);
  const custom = authorizationsOf(context.policies).filter(({ action }) => action === 'CUSTOM');
  // One of each provider is enough to tell.
  const customsOf = once((workload: Workload) => {
    const all = authorizationsOf(context.policiesOf(workload)).filter(({ action }) => action === 'CUSTOM');
    return [...new Map(all.map((one) => [one.provider, one])).values()];
  });
  return custom.flatMap((policy) => {
    const path = ['spec', 'provider', 'name'];
    if (policy.provider !== undefined && !known.includes(policy.provider))
      return [
        {
          policy,
          rule: 'missing-provider',
          path,
          message: `the mesh’s settings have no authorization provider ${policy.provider}`,
          mend: known.length === 0 ? 'add it to the settings' : `known are ${named(known)}`,
        },
      ];
    const other = context
      .workloadsOf(policy)
      .flatMap(customsOf)
      .find((one) => one.provider !== policy.provider);
    if (!other) return [];
    return [
      {
        policy,
        rule: 'several-providers',
        path,
        message: `${nameOf(other.meta)} names another provider for the same workload, which can have one`,
        mend: 'name the same provider, or select other workloads',
      },
    ];
  });
}

function missingTrustDomains({ policies, registry }: LintContext): readonly Remark[] {
  const { trustDomain, trustDomainAliases } = registry.settings;
  const known = [trustDomain, ...trustDomainAliases];
  const isKnown = ({ field, value }: RuleValue, name: string) => {
    if (field === 'trustDomains') return known.some((one) => patternCovers(value, one));
    if (value.includes('://') || name.includes('*')) return true;
    return known.includes(name) || name === ownTrustDomain;
  };
  return authorizationsOf(policies).flatMap((policy) =>
    valuesOf(policy).flatMap((given) => {
      const name = trustDomainIn(given);
      if (name === undefined || isKnown(given, name)) return [];
      const { path } = given;
      const isName = name.includes('*') || isTrustDomain(name);
      return [
        {
          policy,
          rule: 'missing-trust-domain',
          path,
          message: `no caller is of the trust domain ${JSON.stringify(name)}${isName ? '' : ', which is no name of one'}`,
          mend: `the mesh’s is ${known.join(', with ')}`,
        },
      ];
    }),
  );
}

function isTrustDomain(name: string): boolean {
  try {
    TrustDomain.parse(name);
    return true;
  } catch {
    return false;
  }
}
