import { hash } from 'node:crypto';
import { sameMembers } from '../../kernel/index.ts';
import { indexPolicies, type Policy, policiesByWorkload, policiesVersion } from '../policy/index.ts';
import type { MeshSnapshot, Trial } from './model.ts';

type ByWorkload = ReadonlyMap<string, readonly Policy[]>;

/** For whom the change that is tried decides otherwise than what holds. */
export interface Shadows {
  readonly byWorkload: ReadonlyMap<string, Trial>;
  /** What would hold for each workload; kept to see what stays the same. */
  readonly candidates: ByWorkload | undefined;
  /** One object for all workloads of which the same is compared; by what that is. */
  readonly known: ReadonlyMap<string, Trial>;
}

const none: Shadows = { byWorkload: new Map(), candidates: undefined, known: new Map() };
const noPolicies: readonly Policy[] = [];

/** @param previous what stays the same is the same object there */
export function shadowsOf(
  { candidate, services, settings, workloads }: MeshSnapshot,
  holding: ByWorkload,
  previous: Shadows = none,
): Shadows {
  if (!candidate) return none;
  const index = indexPolicies({ policies: candidate.policies, services, settings });
  const candidates = policiesByWorkload(index, workloads.values(), previous.candidates);
  const known = new Map<string, Trial>();
  const byWorkload = new Map<string, Trial>();
  for (const [workload, policies] of candidates) {
    const held = holding.get(workload) ?? noPolicies;
    if (decideAlike(held, policies)) continue;
    const compared = `${candidate.id} ${policiesVersion(held)} ${policiesVersion(policies)}`;
    const trial = known.get(compared) ??
      previous.known.get(compared) ?? { id: hash('sha256', compared, 'hex').slice(0, 12), policies };
    known.set(compared, trial);
    byWorkload.set(workload, trial);
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
