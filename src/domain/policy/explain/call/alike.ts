import type { AppProtocol, Workload } from '../../../mesh/index.ts';
import { policiesByWorkload } from '../../holding.ts';
import type { Policy } from '../../model.ts';
import { indexPolicies } from '../../select.ts';
import { mostPolicies, nobodyMayCall } from '../../too-many.ts';
import { policiesWeight } from '../../weight.ts';
import type { PolicyWorld } from '../../world/index.ts';
import type { Callee } from './callee.ts';

/** Callees of which one explanation holds for all. */
export interface CalleeGroup {
  readonly members: readonly [Callee, ...Callee[]];
  /** All that hold for each of them. */
  readonly policies: readonly Policy[];
  readonly protocol: AppProtocol;
}

/** Puts callees together that differ in nothing that decides: one group where it does not matter which is called. */
export function alikeCallees(world: PolicyWorld, callees: readonly Callee[]): readonly CalleeGroup[] {
  const holding = policiesByWorkload(
    indexPolicies(world),
    callees.map(({ workload }) => workload),
  );
  const lists: (readonly Policy[])[] = [];
  const groups = new Map<string, CalleeGroup>();
  for (const callee of callees) {
    const { workload, port } = callee;
    const policies = told(holding.get(workload.id) ?? [], workload);
    if (!lists.includes(policies)) lists.push(policies);
    // Nothing is known of a port that nobody declares, so it is bytes.
    const protocol = workload.ports.find((each) => each.port === port)?.protocol ?? 'tcp';
    const hasProxy = workload.proxy !== 'none';
    const key = JSON.stringify([
      lists.indexOf(policies),
      port,
      protocol,
      hasProxy,
      world.strict.has(workload.id),
    ]);
    const before = groups.get(key);
    groups.set(key, { members: before ? [...before.members, callee] : [callee], policies, protocol });
  }
  return [...groups.values()];
}

/** What its proxy is told of them. Fetched keys, which a world does not have, may make them too much a little earlier. */
function told(policies: readonly Policy[], { ports, proxy }: Workload): readonly Policy[] {
  const chains = ports.length + (proxy === 'capture' ? 1 : 0);
  return policiesWeight(policies) * chains > mostPolicies ? nobodyMayCall(policies) : policies;
}
