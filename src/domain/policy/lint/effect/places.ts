import { once } from '../../../../kernel/index.ts';
import type { Workload } from '../../../mesh/index.ts';
import { decide, type PolicyRequest } from '../../decide/index.ts';
import { type PortGroup, type PortPlace, portGroups } from '../../exact/index.ts';
import type { AuthorizationPolicy, Policy } from '../../model.ts';
import type { PolicyWorld } from '../../world/index.ts';
import { authorizationsOf, type LintContext } from '../context.ts';

/** Ports that are decided alike: one of them stands for all. */
export interface Place extends PortPlace {
  readonly workload: Workload;
  /** As it is called, wherever the answer is the same for any. */
  readonly port: number;
  /** All that hold there. */
  readonly policies: readonly AuthorizationPolicy[];
}

/** Where policies are enforced. */
export class Places {
  readonly #of = new Map<Policy, Place[]>();

  constructor(context: LintContext) {
    for (const group of portGroups(worldOf(context))) {
      const place = placeOf(group);
      for (const policy of place.policies) {
        const known = this.#of.get(policy);
        if (known) known.push(place);
        else this.#of.set(policy, [place]);
      }
    }
  }

  /** Where a policy is enforced. */
  of(policy: AuthorizationPolicy): readonly Place[] {
    return this.#of.get(policy) ?? [];
  }
}

/** Who is strict is not known here; where it would matter, a rule more counts as needed. */
function worldOf({ registry, all }: LintContext): PolicyWorld {
  return { ...registry, policies: all, strict: new Set() };
}

function placeOf({ after, workload, port }: PortGroup): Place {
  return {
    protocol: after.protocol,
    at: { port: after.port, mode: after.mode, takesTokens: takesTokens(after.policies) },
    workload,
    port,
    policies: enforcedOf(after.policies),
  };
}

const takesTokens = once((policies: readonly Policy[]) =>
  policies.some((policy) => policy.kind === 'RequestAuthentication' && policy.jwtRules.length > 0),
);

const enforcedOf = once((policies: readonly Policy[]) =>
  authorizationsOf(policies).filter(({ dryRun, action }) => !dryRun && action !== 'AUDIT'),
);

/** Whether some policies let a request in at a place. @param refusing an authorizer that says no; others say yes */
export function isAllowed(
  policies: readonly AuthorizationPolicy[],
  request: PolicyRequest,
  { protocol }: Place,
  {
    settings,
    refusing,
  }: { readonly settings: PolicyWorld['settings']; readonly refusing: string | undefined },
): boolean {
  const { verdict } = decide(policies, request, {
    trustDomain: settings.trustDomain,
    trustDomainAliases: settings.trustDomainAliases,
    tcp: protocol === 'tcp',
    customVerdicts: new Map(
      settings.authorizationProviders
        .filter(({ kind }) => !(protocol === 'tcp' && kind === 'http'))
        .map(({ name }) => [name, name === refusing ? 'deny' : 'allow']),
    ),
  });
  return verdict === 'allow';
}
