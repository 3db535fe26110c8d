import type { OperatorCaller } from '../../domain/operators/index.ts';
import {
  completeWords,
  differenceWords,
  notCountedWords,
  type ShadowDifference,
  type ShadowService,
  type ShadowStatus,
  type ShadowWorkload,
  seenWords,
  standingWords,
} from '../../domain/shadow/index.ts';
import { formatInstant } from '../../kernel/index.ts';
import type * as wire from '../../wire/console.ts';
import { needsControlPlane } from '../needs-control-plane.ts';
import { changeOf } from './change.ts';
import { type ConsolePolicyServices, effectsOf, givenReason, planToWire } from './policies.ts';

export interface ConsoleShadowServices extends ConsolePolicyServices {
  /** Absent where this server has no control plane. */
  readonly shadow: ShadowService | undefined;
  readonly now: () => Date;
}

const mostTold = 200;

interface StatusServices extends Pick<ConsoleShadowServices, 'policyWorld' | 'now'> {
  readonly shadow: Pick<ShadowService, 'status'> | undefined;
}

export async function shadowStatus(services: StatusServices): Promise<wire.ConsoleShadowStatus> {
  const status = await needsControlPlane(services.shadow).status();
  return { shadow: status ? statusToWire(services, status) : null };
}

/** @throws CitadelError as ShadowService.start does */
export async function startShadow(
  services: ConsoleShadowServices,
  { expectedRevision, reason, ...change }: wire.ConsoleShadowStart,
  author: OperatorCaller,
): Promise<wire.ConsolePlan> {
  const why = givenReason(reason);
  const request = await changeOf(services, change);
  const plan = await needsControlPlane(services.shadow).start(request, expectedRevision, author, why);
  return planToWire(services, plan, request);
}

/** @throws CitadelError as ShadowService.promote does */
export async function promoteShadow(
  services: ConsoleShadowServices,
  { id, reason, force }: wire.ConsolePromotion,
  author: OperatorCaller,
): Promise<wire.ConsolePlan> {
  const order = { id, force, author, reason: givenReason(reason) };
  const plan = await needsControlPlane(services.shadow).promote(order);
  return planToWire(services, plan, { texts: [] });
}

/** @throws CitadelError as ShadowService.revert does */
export async function revertShadow(
  services: ConsoleShadowServices,
  { id, reason }: wire.ConsoleShadowOrder,
  author: OperatorCaller,
): Promise<object> {
  await needsControlPlane(services.shadow).revert({ id, author, reason: givenReason(reason) });
  return {};
}

function statusToWire(services: StatusServices, { candidate, ...status }: ShadowStatus): wire.ConsoleShadow {
  const { id, by, at, reason, base, objects } = candidate;
  return {
    id,
    by,
    at: formatInstant(at),
    reason,
    base,
    revision: status.revision,
    effects: effectsOf(services, objects),
    workloads: status.workloads.slice(0, mostTold).map(workloadToWire),
    differences: status.differences.slice(0, mostTold).map(differenceToWire),
    more: status.more + status.differences.slice(mostTold).reduce((sum, { count }) => sum + count, 0),
    seen: seenWords(status, services.now()),
    notCounted: notCountedWords(status),
    obstacles: status.obstacles,
    doubts: status.doubts,
  };
}

function workloadToWire(each: ShadowWorkload): wire.ConsoleShadowWorkload {
  return {
    workload: each.workload,
    proxies: standingWords(each),
    hasIt: each.standing === 'current',
    seen: each.each + each.sampled,
    different: each.different,
    unknown: each.unknown,
    complete: completeWords(each),
  };
}

function differenceToWire(each: ShadowDifference): wire.ConsoleShadowDifference {
  return {
    becomes: each.becomes,
    caller: each.callerId ?? 'callers without a certificate',
    workload: each.workload,
    calls: each.count,
    why: differenceWords(each),
    examples: each.examples.map(({ at, port, callerAddress, method, path = '' }) => {
      const request = method === undefined ? '' : ` ${method} ${path}`;
      return `${formatInstant(at)} port ${port}${request} from ${callerAddress}`;
    }),
  };
}
