import {
  matchesNamespace,
  matchesPrincipal,
  matchesServiceAccount,
  matchesTrustDomain,
} from '../decide/index.ts';
import type { Alternative, ExactLimits, PatternList, Region } from '../exact/index.ts';
import { type Caller, callerOf } from '../explain/index.ts';
import type { PolicyWorld } from '../world/index.ts';
import { mergedWays, type Way } from './merge.ts';
import type { Access, PortAccess } from './model.ts';
import { accessOf, toAccess } from './who.ts';

export interface WhatReached {
  readonly caller: Caller;
  /** Ports of every workload that the caller may reach, in any way; not its own. */
  readonly ports: readonly PortAccess[];
}

/**
 * All that an identity may reach: of every port in the registry the ways in that are open to it.
 * @param from as `callerOf` takes it
 * @throws CitadelError as `callerOf` does
 */
export function whatReaches(
  world: PolicyWorld,
  from: string,
  limits: Partial<ExactLimits> = {},
): WhatReached {
  const caller = callerOf(world, from);
  const callees = [...world.workloads.values()].flatMap((workload) =>
    workload.ports.map(({ port }) => ({ workload, port, services: [] })),
  );
  const ports = accessOf(world, callees, limits)
    .map((each) => ({ ...each, access: openTo(each, caller.identity, world) }))
    .filter(({ access, enforced, undecided }) => access.length > 0 || !enforced || undecided !== undefined);
  return { caller, ports };
}

/** The ways in that a caller can take, of which nothing is said of callers then. */
function openTo(
  { access, protocol }: PortAccess,
  identity: string | undefined,
  world: PolicyWorld,
): readonly Access[] {
  const ways = access
    .filter(({ region }) => admits(region, identity, world))
    .map(
      ({ region, example }): Way => ({
        region: { constraints: region.constraints.filter(({ attribute }) => attribute.kind !== 'source') },
        witness: { ...example, request: { ...example.request, sourcePrincipal: identity } },
      }),
    );
  return toAccess(mergedWays(ways), protocol).map((each) => ({ ...each, callers: identity ?? 'plaintext' }));
}

/** Whether a region holds any request of this caller: what else it asks for does not hang on who calls. */
function admits({ constraints }: Region, identity: string | undefined, world: PolicyWorld): boolean {
  const source = constraints.find(({ attribute }) => attribute.kind === 'source');
  if (!source) return true;
  const is = (list: PatternList) => isOf(list, identity, world);
  const fits = ({ matches, except }: Alternative) => matches.every(is) && !except.some(is);
  // What is not told might be it: rather one way too many than one too few.
  return source.more > 0 || source.alternatives.some(fits);
}

function isOf({ field, patterns }: PatternList, identity: string | undefined, world: PolicyWorld): boolean {
  if (identity === undefined) return false;
  if (field === 'present') return true;
  return patterns.some((pattern) => {
    switch (field) {
      case 'namespaces':
      case 'source.namespace':
        return matchesNamespace(pattern, identity);
      case 'serviceAccounts':
      case 'source.serviceAccount':
        return matchesServiceAccount(pattern, identity, '');
      case 'trustDomains':
      case 'source.trustDomain':
        return matchesTrustDomain(pattern, identity, world.settings);
      default:
        return matchesPrincipal(pattern, identity, world.settings);
    }
  });
}
