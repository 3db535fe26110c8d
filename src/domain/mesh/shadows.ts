import { sameMembers } from '../../kernel/index.ts';
import { indexPolicies, type Policy, policiesByWorkload } from '../policy/index.ts';
import type { CandidatePolicies, MeshSnapshot } from './model.ts';

type ByWorkload = ReadonlyMap<string, readonly Policy[]>;

/** For whom the change that is tried decides otherwise than what holds. */
export interface Shadows {
  readonly byWorkload: ReadonlyMap<string, CandidatePolicies>;
  /** What would hold for each workload; kept to see what stays the same. */
  readonly candidates: ByWorkload | undefined;
  /** One object for each list. */
  readonly known: ReadonlyMap<readonly Policy[], CandidatePolicies>;
}

const none: Shadows = { byWorkload: new Map(), candidates: undefined, known: new Map() };

/** @param previous what stays the same is the same object there */
export function shadowsOf(
  { candidate, services, settings, workloads }: MeshSnapshot,
  holding: ByWorkload,
  previous: Shadows = none,
): Shadows {
  if (!candidate) return none;
  const index = indexPolicies({ policies: candidate.policies, services, settings });
  const candidates = policiesByWorkload(index, workloads.values(), previous.candidates);
  const known = new Map<readonly Policy[], CandidatePolicies>();
  const byWorkload = new Map<string, CandidatePolicies>();
  for (const [workload, policies] of candidates) {
    if (decideAlike(holding.get(workload) ?? [], policies)) continue;
    const before = known.get(policies) ?? previous.known.get(policies);
    const shadow = before?.id === candidate.id ? before : { id: candidate.id, policies };
    known.set(policies, shadow);
    byWorkload.set(workload, shadow);
  }
  return { byWorkload, candidates, known };
}

/** Whether the policies that allow and deny are the same. */
function decideAlike(a: readonly Policy[], b: readonly Policy[]): boolean {
  return a === b || sameMembers(a.filter(decides), b.filter(decides));
}

/** What a proxy can try beside what holds: the others would have to be enforced to be seen. */
export function decides(policy: Policy): boolean {
  return (
    policy.kind === 'AuthorizationPolicy' &&
    !policy.dryRun &&
    (policy.action === 'ALLOW' || policy.action === 'DENY')
  );
}
