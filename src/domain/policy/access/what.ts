import { type ExactLimits } from '../exact/index.ts';
import {
  alikeCallees,
  type Callee,
  type CalleeGroup,
  type Caller,
  callerOf,
  type TransportFinding,
  transportOf,
} from '../explain/index.ts';
import type { PolicyWorld } from '../world/index.ts';
import type { PortAccess } from './model.ts';
import { groupAccess } from './who.ts';

export interface WhatReached {
  readonly caller: Caller;
  /** Ports of every workload that the caller may reach, in any way; not its own. */
  readonly ports: readonly PortAccess[];
}

/**
 * All that an identity may reach: of every port in the registry the ways in that are open to its certificate, and, where its
 * calls come in plaintext and so without it, those that are open to these.
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
  const ports = alikeCallees(world, callees)
    .flatMap((group) =>
      byTransport(world, caller, group).map(([kind, members]) => {
        const to = (sourcePrincipal: string | undefined) =>
          groupAccess(world, { ...group, members }, limits, { sourcePrincipal });
        return openTo(caller, kind, to);
      }),
    )
    .filter(({ access, enforced, undecided }) => access.length > 0 || !enforced || undecided !== undefined);
  return { caller, ports };
}

type Kind = TransportFinding['kind'];

/** Whether a call shows who calls hangs on the callee, too. */
function byTransport(
  world: PolicyWorld,
  caller: Caller,
  { members, policies }: CalleeGroup,
): readonly (readonly [Kind, CalleeGroup['members']])[] {
  const kinds = new Map<Kind, [Callee, ...Callee[]]>();
  for (const callee of members) {
    const question = { world, caller, callee, policies, said: undefined, locate: () => undefined };
    const { kind } = transportOf(question);
    const others = kinds.get(kind);
    if (others) others.push(callee);
    else kinds.set(kind, [callee]);
  }
  return [...kinds];
}

function openTo(
  { identity }: Caller,
  kind: Kind,
  to: (sourcePrincipal: string | undefined) => PortAccess,
): PortAccess {
  const shown = to(identity);
  const own = shown.access.map((each) => ({ ...each, callers: identity ?? 'plaintext' }));
  if (identity === undefined || kind === 'mtls' || !shown.enforced) return { ...shown, access: own };
  const { access, complete, undecided } = to(undefined);
  const hidden = access.map((each) => ({
    ...each,
    callers: identity,
    conditions: ['in plaintext', ...each.conditions],
  }));
  return {
    ...shown,
    access: [...own, ...hidden],
    complete: shown.complete && complete,
    undecided: shown.undecided ?? undecided,
  };
}
