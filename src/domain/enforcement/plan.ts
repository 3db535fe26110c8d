import { hash } from 'node:crypto';
import { callersSince, readiness, type WorkloadEvidence } from '../evidence/index.ts';
import type { ProxyView } from '../mesh/index.ts';
import { mutualTlsModeOf } from '../policy/index.ts';
import { groupOf } from './look.ts';
import type { EnforcementRun, EnforcementScope, EnforcementStep } from './model.ts';

/**
 * `ready`: strictness would refuse nobody who called in the window. `unsafe`, `unknown`: as readiness says. `told`: an
 * order that was not finished made it strict; it is watched anew. `already`: strict by an order or by policies.
 * `exempt`: it has no port that an order could make strict.
 */
export type PlanVerdict = 'ready' | 'unsafe' | 'unknown' | 'told' | 'already' | 'exempt';

export interface PlannedWorkload {
  readonly workload: string;
  readonly group: string;
  readonly verdict: PlanVerdict;
  readonly reasons: readonly string[];
  /** Ports that become strict; 0 stands for those that no registry declares. */
  readonly ports: readonly number[];
  /** Ports whose policy says DISABLE: they stay as they are. */
  readonly disabled: readonly number[];
  /** Addresses that called without mutual TLS within the window: these it would refuse. */
  readonly callers: readonly string[];
}

export interface EnforcementPlan {
  readonly scope: EnforcementScope;
  readonly workloads: readonly PlannedWorkload[];
  /** Of the scope, without a proxy: nothing can make them strict. */
  readonly withoutProxy: readonly string[];
  /** Of what an operator agrees to: another one means that something else would be done. */
  readonly digest: string;
}

/** What is known of one workload of a scope. */
export interface Candidate {
  readonly view: ProxyView;
  readonly evidence: WorkloadEvidence;
  /** The order by which it is strict. */
  readonly order: EnforcementRun | undefined;
}

export function planWorkload(
  { view, evidence, order }: Candidate,
  window: number,
  now: Date,
): PlannedWorkload {
  const { workload, policies } = view;
  const modes = view.inbound.map(({ port: { port } }) => ({ port, mode: mutualTlsModeOf(policies, port) }));
  const portsOf = (mode: string) => modes.filter((each) => each.mode === mode).map(({ port }) => port);
  const ports = portsOf('PERMISSIVE');
  const planned = {
    workload: workload.id,
    group: groupOf(workload),
    ports,
    disabled: portsOf('DISABLE'),
    callers: [],
    reasons: [],
  };
  if (modes.length === 0 || modes.length === planned.disabled.length)
    return {
      ...planned,
      verdict: 'exempt',
      reasons: [
        modes.length === 0 ? 'nothing calls it: it has no ports' : 'its policies say DISABLE of every port',
      ],
    };
  if (order && isProved(order, workload.id))
    return { ...planned, verdict: 'already', reasons: [`by order ${order.id}`] };
  if (ports.length === 0) return { ...planned, verdict: 'already', reasons: ['by its policies'] };
  if (order)
    return { ...planned, verdict: 'told', reasons: [`by order ${order.id}, which was not finished`] };
  const { state, reasons } = readiness(evidence, now, window);
  return {
    ...planned,
    verdict: state === 'safe' ? 'ready' : state,
    reasons,
    callers: callersSince(evidence, now, window),
  };
}

/** Whether an order has nothing left to do about a workload. */
function isProved({ state, steps }: EnforcementRun, workload: string): boolean {
  return state === 'done' || steps.some((step) => step.workload === workload && step.state === 'done');
}

export function composePlan(
  scope: EnforcementScope,
  workloads: readonly PlannedWorkload[],
  withoutProxy: readonly string[],
): EnforcementPlan {
  const agreed = workloads.map(({ workload, verdict, ports, callers }) => [
    workload,
    verdict,
    ports,
    callers.toSorted(),
  ]);
  return { scope, workloads, withoutProxy, digest: hash('sha256', JSON.stringify([scope, agreed]), 'hex') };
}

/** What has to be overridden before anything is done. */
export function notReady({ workloads }: EnforcementPlan): readonly PlannedWorkload[] {
  return workloads.filter(({ verdict }) => verdict === 'unsafe' || verdict === 'unknown');
}

export function isDue({ verdict }: PlannedWorkload): boolean {
  return verdict !== 'already' && verdict !== 'exempt';
}

/** How a run begins with a workload; undefined: it has nothing to do with it. */
export function firstStep(
  planned: PlannedWorkload,
  takenOver: boolean,
  blank: EnforcementStep,
): EnforcementStep | undefined {
  switch (planned.verdict) {
    case 'ready':
      return blank;
    case 'unsafe':
    case 'unknown':
      return { ...blank, forced: true, accepted: planned.callers };
    case 'told':
      return { ...blank, state: 'asked', askedAt: blank.since };
    case 'already':
      return takenOver
        ? { ...blank, state: 'done', askedAt: blank.since, drainedAt: blank.since }
        : undefined;
    case 'exempt':
      return undefined;
  }
}
