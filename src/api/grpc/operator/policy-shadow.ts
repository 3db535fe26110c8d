import type { OperatorCaller } from '../../../domain/operators/index.ts';
import type { ShadowDifference, ShadowStatus, ShadowWorkload } from '../../../domain/shadow/index.ts';
import type * as wire from '../../../gen/citadel/v1/operator.ts';
import { checkedReason } from './messages.ts';
import { needsControlPlane } from './needs-control-plane.ts';
import { type PolicyServices, planToWire, versionToWire } from './policies.ts';

export async function getPolicyShadow(services: PolicyServices): Promise<wire.GetPolicyShadowResponse> {
  const status = await needsControlPlane(services.shadow).status();
  return { shadow: status && statusToWire(status) };
}

export async function promotePolicyShadow(
  services: PolicyServices,
  { id, force, reason }: wire.PromotePolicyShadowRequest,
  author: OperatorCaller,
): Promise<wire.ApplyPoliciesResponse> {
  const order = { id, force, reason: checkedReason(reason), author };
  return planToWire(await needsControlPlane(services.shadow).promote(order), true);
}

export async function revertPolicyShadow(
  services: PolicyServices,
  { id, reason }: wire.RevertPolicyShadowRequest,
  author: OperatorCaller,
): Promise<wire.RevertPolicyShadowResponse> {
  await needsControlPlane(services.shadow).revert({ id, reason: checkedReason(reason), author });
  return {};
}

function statusToWire({ candidate, ...status }: ShadowStatus): wire.PolicyShadow {
  const { id, at, by, reason, base, objects } = candidate;
  return {
    id,
    at,
    by,
    reason,
    base: BigInt(base),
    revision: BigInt(status.revision),
    versions: objects.map(versionToWire),
    since: status.since,
    gaps: status.gaps.map(({ from, until }) => ({ from, until })),
    elsewhere: BigInt(status.elsewhere),
    obstacles: [...status.obstacles],
    workloads: status.workloads.map(workloadToWire),
    differences: status.differences.map(differenceToWire),
    more: BigInt(status.more),
    samplePercent: status.samplePercent,
    doubts: [...status.doubts],
  };
}

function workloadToWire({ complete, ...each }: ShadowWorkload): wire.ShadowWorkload {
  return {
    workload: each.workload,
    standing: each.standing,
    detail: each.detail ?? '',
    since: each.since,
    each: BigInt(each.each),
    sampled: BigInt(each.sampled),
    different: BigInt(each.different),
    unknown: BigInt(each.unknown),
    last: each.last,
    completeSince: complete?.since,
    completeUntil: complete?.until,
    earlier: BigInt(each.earlier),
  };
}

function differenceToWire({ by, examples, ...each }: ShadowDifference): wire.ShadowDifference {
  return {
    workload: each.workload,
    becomes: each.becomes,
    callerId: each.callerId ?? '',
    policy: each.policy ?? '',
    rule: each.rule,
    step: each.step,
    candidatePolicy: by ? `${by.namespace}/${by.name}` : '',
    candidateRule: by?.rule,
    count: BigInt(each.count),
    first: each.first,
    last: each.last,
    examples: examples.map(({ method = '', path = '', ...example }) => ({ ...example, method, path })),
  };
}
