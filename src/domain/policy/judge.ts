import type { MeshSettings, MeshSnapshot } from '../mesh/index.ts';
import { authoredObject } from './authored.ts';
import { type LintWarning, lintAlone, lintPolicies } from './lint/index.ts';
import { type PolicyProblem, policyKeyOf, readPolicy } from './read/index.ts';

/** What a policy is judged against. */
export interface JudgedMesh {
  readonly settings: MeshSettings;
  /** All that there is; undefined where the author must not be told of it, or where it is not known. */
  readonly snapshot: MeshSnapshot | undefined;
}

export interface PolicyJudgement {
  /** Why it cannot be taken; empty where it can. */
  readonly problems: readonly PolicyProblem[];
  /** What is legal and surely not meant. */
  readonly warnings: readonly LintWarning[];
}

/** Some tens of milliseconds' worth: somebody waits for the answer, and everybody else for him. */
const comparisons = 200_000;

/** Judges one object as the Kubernetes API has it, as if it stood in the place of the one of its name. */
export function judgePolicy(object: unknown, source: string, mesh: JudgedMesh): PolicyJudgement {
  const { policy, problems } = readPolicy(authoredObject(object), { source });
  if (!policy) return { problems, warnings: [] };
  const { settings, snapshot } = mesh;
  if (!snapshot) return { problems, warnings: lintAlone(policy, settings, { comparisons }) };
  const key = policyKeyOf(policy);
  const at = snapshot.policies.findIndex((each) => policyKeyOf(each) === key);
  const policies = at < 0 ? [...snapshot.policies, policy] : snapshot.policies.with(at, policy);
  return {
    problems,
    warnings: lintPolicies(policies, snapshot, undefined, { subjects: [policy], comparisons }),
  };
}
