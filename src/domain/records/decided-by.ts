import { hash } from 'node:crypto';
import { once, sameMembers } from '../../kernel/index.ts';
import type { ControlPlane, MeshSnapshot } from '../mesh/index.ts';
import { holdingPolicies, type Policy } from '../policy/index.ts';
import type {
  AccessLogEntry,
  DecidedBy,
  DecisionLayer,
  DecisionMarker,
  DecisionMarks,
  MarkedStep,
} from '../ports/index.ts';

/** By which rules an entry was decided, as its proxy told; undefined where it did not tell. See DecidedBy. */
export function decidingRules(entry: AccessLogEntry): string | undefined {
  const step = stepOf(entry);
  return step && entry.marks && rulesVersion(entry.marks, step);
}

/** Earlier states of the policies, in which it is looked up which revision decided. */
const mostWorlds = 8;

/** Says of what proxies tell by what it was decided: by their own word, not by what they should have had then. */
export function decisionsIn(
  mesh: Pick<ControlPlane, 'snapshot' | 'onProgress'>,
  marksOf: DecisionMarker,
): (entry: AccessLogEntry) => DecidedBy | undefined {
  let worlds: readonly MeshSnapshot[] = [];
  const look = () => {
    const now = mesh.snapshot();
    const [last, ...others] = worlds;
    if (!now || now === last) return;
    const isAsBefore = last !== undefined && sameMembers(last.policies, now.policies);
    worlds = [now, ...(isAsBefore ? others : worlds)].slice(0, mostWorlds);
  };
  mesh.onProgress(look);
  return (entry) => {
    const { marks, policy, workload } = entry;
    const step = stepOf(entry);
    const rules = decidingRules(entry);
    if (!marks || !step || rules === undefined) return undefined;
    look();
    const revisions = new Set(
      worlds.flatMap((world) => {
        const policies = holdingPolicies(world, workload) ?? [];
        const own = marksOf(policies, marks.layer);
        const isSame = comeTo[step].every((each) => own[each] === marks[each]);
        return isSame ? [revisionOf(policies, policy)] : [];
      }),
    );
    const [revision] = revisions;
    return { rules, revision: revisions.size === 1 ? revision : undefined };
  };
}

type Step = 'PATH' | 'DENY' | 'ALLOW';

/** What is allowed has come through all of them. */
function stepOf({ decision, denial, unproved }: AccessLogEntry): Step | undefined {
  if (decision === 'allowed') return 'ALLOW';
  if (decision === 'unserved' || unproved) return undefined;
  const step = denial?.step;
  return step === 'PATH' || step === 'DENY' || step === 'ALLOW' ? step : undefined;
}

const comeTo: Readonly<Record<Step, readonly MarkedStep[]>> = {
  PATH: ['path'],
  DENY: ['path', 'deny'],
  ALLOW: ['path', 'deny', 'allow'],
};

/** Equal where the rules are the same that a request came to; undefined where a filter has rules and does not mark them. */
function rulesVersion(marks: DecisionMarks, step: Step): string | undefined {
  const told = comeTo[step].map((each) => marks[each]);
  if (told.includes('')) return undefined;
  return hash(
    'sha256',
    JSON.stringify([marks.layer, step, ...told.map((mark) => mark ?? null)]),
    'hex',
  ).slice(0, 16);
}

/** The store's revision, or a cluster's generation, of the policy that decided. */
function revisionOf(policies: readonly Policy[], name: string | undefined): number | undefined {
  const deciding = policies.find(
    ({ kind, meta }) => kind === 'AuthorizationPolicy' && `${meta.namespace}/${meta.name}` === name,
  );
  return deciding && deciding.meta.generation > 0 ? deciding.meta.generation : undefined;
}

/** All that a decision by these policies may be recorded as decided by. */
export function rulesVersions(marksOf: DecisionMarker): (policies: readonly Policy[]) => ReadonlySet<string> {
  const layers: readonly DecisionLayer[] = ['http', 'network'];
  const steps: readonly Step[] = ['PATH', 'DENY', 'ALLOW'];
  return once(
    (policies) =>
      new Set(
        layers.flatMap((layer) => {
          const marks = marksOf(policies, layer);
          return steps.flatMap((step) => rulesVersion(marks, step) ?? []);
        }),
      ),
  );
}
