import { type PolicyStatus, sourceProblems } from '../../../domain/mesh/index.ts';
import type { OperatorCaller } from '../../../domain/operators/index.ts';
import {
  type LintWarning,
  type PolicyEffect,
  type PolicyProblem,
  type PolicyService,
  policyHash,
  policyIdentity,
  policyKey,
  policyKeyOf,
} from '../../../domain/policy/index.ts';
import type { MeshSourceState, PolicyObjectKey, StoredPolicy } from '../../../domain/ports/index.ts';
import type { ShadowService } from '../../../domain/shadow/index.ts';
import * as wire from '../../../gen/citadel/v1/operator.ts';
import { CitadelError } from '../../../kernel/index.ts';
import { requestedChange } from '../../policy-change.ts';
import { checkedReason } from './messages.ts';
import { needsControlPlane } from './needs-control-plane.ts';

export interface PolicyServices {
  /** Absent where this server has no control plane. */
  readonly policies: PolicyService | undefined;
  readonly shadow: ShadowService | undefined;
  readonly policyStatus: () => readonly PolicyStatus[];
  readonly policyWarnings: () => readonly LintWarning[];
  readonly meshSources: () => readonly MeshSourceState[];
}

const mostTexts = 10_000;
const mostProblems = 1_000;

export function listPolicies(
  services: PolicyServices,
  { namespace }: wire.ListPoliciesRequest,
): wire.ListPoliciesResponse {
  needsControlPlane(services.policies);
  const all = services.policyStatus();
  const asked = namespace === '' ? all : all.filter(({ policy }) => policy.meta.namespace === namespace);
  const warnings = new Map<string, LintWarning[]>();
  for (const warning of services.policyWarnings()) {
    const key = policyKey(warning.object);
    const known = warnings.get(key);
    if (known) known.push(warning);
    else warnings.set(key, [warning]);
  }
  return {
    policies: asked.map((status) => {
      const own = warnings.get(policyKeyOf(status.policy)) ?? [];
      return { ...statusToWire(status), warnings: own.map(problemToWire) };
    }),
    problems: services.meshSources().flatMap(sourceProblems).slice(0, mostProblems),
  };
}

export async function applyPolicies(
  services: PolicyServices,
  request: wire.ApplyPoliciesRequest,
  caller: OperatorCaller,
): Promise<wire.ApplyPoliciesResponse> {
  const policies = needsControlPlane(services.policies);
  const { texts, remove, dryRun, expectedRevision } = request;
  const reason = checkedReason(request.reason);
  if (texts.length + remove.length > mostTexts)
    throw new CitadelError('ResourceExhausted', `more than ${mostTexts} texts in one change`);
  const { restore } = request;
  const change = await requestedChange(
    policies,
    request,
    restore && { revision: Number(restore.revision), keys: restore.keys },
  );
  const shadow = request.shadow ? needsControlPlane(services.shadow) : undefined;
  const plan = await (shadow ?? policies).plan(change);
  if (dryRun || plan.problems.length > 0) return planToWire(plan, false);
  const expected = Number(expectedRevision);
  const done = shadow
    ? await shadow.start(change, expected, caller, reason)
    : await policies.apply(change, expected, caller, reason);
  return planToWire(done, true);
}

export async function listPolicyRevisions(
  services: PolicyServices,
  { key, pageSize, pageToken }: wire.ListPolicyRevisionsRequest,
): Promise<wire.ListPolicyRevisionsResponse> {
  const page = await needsControlPlane(services.policies).history({
    ...(key ? { key } : {}),
    limit: pageSize === 0 ? 100 : pageSize,
    ...(pageToken === '' ? {} : { pageToken }),
  });
  return {
    revisions: page.items.map(({ revision, objects, ...head }) => ({
      ...head,
      revision: BigInt(revision),
      versions: objects.map(versionToWire),
    })),
    nextPageToken: page.nextPageToken ?? '',
  };
}

const effectKinds: Readonly<Record<PolicyEffect['kind'], wire.PolicyEffect_Kind>> = {
  create: wire.PolicyEffect_Kind.KIND_CREATE,
  update: wire.PolicyEffect_Kind.KIND_UPDATE,
  unchanged: wire.PolicyEffect_Kind.KIND_UNCHANGED,
  remove: wire.PolicyEffect_Kind.KIND_REMOVE,
};

export function planToWire(
  { problems, warnings, effects, revision }: Awaited<ReturnType<PolicyService['plan']>>,
  applied: boolean,
): wire.ApplyPoliciesResponse {
  return {
    problems: problems.map(problemToWire),
    warnings: warnings.map(problemToWire),
    effects: effects.map(({ key, kind, shadowedBy = '' }) => ({
      key: keyToWire(key),
      kind: effectKinds[kind],
      shadowedBy,
    })),
    revision: BigInt(revision),
    applied,
  };
}

export const versionToWire = ({
  text = '',
  hash,
  ...object
}: Omit<StoredPolicy, 'revision'>): wire.PolicyVersion => ({
  key: keyToWire(object),
  text,
  hash,
});

const keyToWire = ({ kind, namespace, name }: PolicyObjectKey): wire.PolicyKey => ({ kind, namespace, name });

function problemToWire(problem: PolicyProblem): wire.PolicyProblem {
  const { source, line = 0, column = 0, path, message, mend = '', object } = problem;
  return { source, line, column, path, message, mend, object: object && keyToWire(object) };
}

function statusToWire({
  policy,
  workloads,
  current,
  pending,
  refusals,
  shadowed,
}: PolicyStatus): Omit<wire.Policy, 'warnings'> {
  const { meta } = policy;
  return {
    key: policyIdentity(policy),
    source: meta.origin.source,
    line: meta.origin.line ?? 0,
    generation: BigInt(meta.generation),
    hash: policyHash(policy),
    workloads,
    current,
    pending,
    refusals: refusals.map((refusal) => ({ ...refusal })),
    shadowed: [...shadowed],
  };
}
