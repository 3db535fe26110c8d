import { type EvidenceService, noEvidence, portModes } from '../evidence/index.ts';
import type { ControlPlane, MeshSnapshot, Workload } from '../mesh/index.ts';
import type { EnforcementRun } from './model.ts';
import { isExempt } from './orders.ts';
import { isWithin } from './scope.ts';
import type { Newcomer, Seen } from './seen.ts';

export interface Sight {
  readonly mesh: Pick<ControlPlane, 'snapshot' | 'view' | 'listenersAt' | 'callerBehind'>;
  readonly evidence: Pick<EvidenceService, 'get' | 'refusals'>;
}

/** Addresses of one workload that are watched for at most; those that called last. */
const mostKnown = 256;

/** Workloads of one group stand in for each other: who called one may be answered by another next. */
export function groupOf({ namespace, serviceAccount }: Workload): string {
  return `${namespace}/${serviceAccount}`;
}

export function lookAt(
  { mesh, evidence }: Sight,
  snapshot: MeshSnapshot,
  { now, ...given }: Pick<Seen, 'since' | 'newcomers'> & { readonly now: Date },
): Seen {
  return {
    ...given,
    workload(id) {
      const view = mesh.view(id);
      if (!view || view.workload.proxy === 'none') return undefined;
      const known = evidence.get(id) ?? noEvidence(id);
      return { evidence: known, modes: portModes(view, mesh.listenersAt(id), known.counters, now) };
    },
    refusals: (id) => evidence.refusals(id),
    knownCallers: (id, before) => knownCallers({ snapshot, evidence }, id, before),
    notYetMutual(id) {
      const caller = mesh.callerBehind(id);
      return caller === undefined
        ? undefined
        : `the proxy of ${caller} has not accepted yet that it calls it by mutual TLS`;
    },
  };
}

export function knownCallers(
  {
    snapshot,
    evidence,
  }: { readonly snapshot: MeshSnapshot; readonly evidence: Pick<EvidenceService, 'get'> },
  id: string,
  before: Date,
): readonly string[] {
  const own = snapshot.workloads.get(id);
  const group = [...snapshot.workloads.values()].filter(
    (each) => each.id === id || (own !== undefined && groupOf(each) === groupOf(own)),
  );
  const last = new Map<string, number>();
  for (const member of group) {
    for (const { callers } of evidence.get(member.id)?.ports.values() ?? []) {
      for (const caller of callers.filter(({ first }) => first <= before))
        last.set(caller.address, Math.max(last.get(caller.address) ?? 0, caller.last.getTime()));
    }
  }
  return [...last]
    .toSorted(([, a], [, b]) => b - a)
    .slice(0, mostKnown)
    .map(([address]) => address);
}

/** Workloads of the scope that take plaintext and have no step: who came since, and whose policy was loosened. */
export function newcomersOf(
  { view }: Pick<ControlPlane, 'view'>,
  run: EnforcementRun,
  snapshot: MeshSnapshot,
): readonly Newcomer[] {
  const steps = new Set(run.steps.map(({ workload }) => workload));
  return [...snapshot.workloads.values()]
    .filter((each) => each.proxy !== 'none' && !steps.has(each.id))
    .filter((each) => isWithin(run.scope, each) && !isExempt(run, each))
    .filter(({ id }) => view(id)?.inbound.some(({ mode }) => mode === 'PERMISSIVE'))
    .map((each) => ({ workload: each.id, group: groupOf(each) }));
}
