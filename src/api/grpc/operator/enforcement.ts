import {
  type EnforcementPlan,
  type EnforcementRequest,
  type EnforcementService,
  type RevertPlan,
  type RunStatus,
  type ScopeQuery,
  scopeText,
} from '../../../domain/enforcement/index.ts';
import type { OperatorCaller } from '../../../domain/operators/index.ts';
import * as wire from '../../../gen/citadel/v1/operator.ts';
import { CitadelError } from '../../../kernel/index.ts';
import { checkedReason } from './messages.ts';
import { needsControlPlane } from './needs-control-plane.ts';

export interface EnforcementServices {
  /** Absent where this server has no control plane. */
  readonly enforcement: EnforcementService | undefined;
}

const day = 86_400;
const defaults = { observe: 60, window: 3600 };
const longest = { observe: day, window: 7 * day, revertWithin: 3600 };
const longestName = 1024;

export async function enforceMutualTls(
  services: EnforcementServices,
  request: wire.EnforceMutualTlsRequest,
  caller: OperatorCaller,
): Promise<wire.EnforceMutualTlsResponse> {
  const service = needsControlPlane(services.enforcement);
  const wanted = requestFromWire(request);
  const plan = service.plan(wanted.scope, wanted.window);
  if (request.dryRun) return { ...planToWire(plan), enforcement: undefined };
  const { subject, proof } = caller;
  const run = await service.enforce(wanted, { subject, proof });
  return { ...planToWire(plan), enforcement: runToWire({ ...run, waits: [] }) };
}

export async function revertMutualTls(
  services: EnforcementServices,
  { scope, dryRun, reason }: wire.RevertMutualTlsRequest,
  { subject, proof }: OperatorCaller,
): Promise<wire.RevertMutualTlsResponse> {
  const service = needsControlPlane(services.enforcement);
  const query = scopeFromWire(scope);
  return revertToWire(
    dryRun
      ? service.planRevert(query)
      : await service.revert(query, checkedReason(reason), { subject, proof }),
  );
}

export function listEnforcements(
  services: EnforcementServices,
  { id }: wire.ListEnforcementsRequest,
): wire.ListEnforcementsResponse {
  const runs = needsControlPlane(services.enforcement).runs(id === '' ? undefined : id);
  if (id !== '' && runs.length === 0) throw new CitadelError('NotFound', 'there is no such order');
  return {
    enforcements: runs.map((run) => {
      const isOver = run.state !== 'running' && run.state !== 'halted';
      return { ...runToWire(run), ...(isOver && id === '' ? { steps: [] } : {}) };
    }),
  };
}

function requestFromWire(request: wire.EnforceMutualTlsRequest): EnforcementRequest {
  const revertWithin = seconds('revert within', request.revertWithinSeconds, longest.revertWithin);
  return {
    scope: scopeFromWire(request.scope),
    observe: (seconds('observe', request.observeSeconds, longest.observe) || defaults.observe) * 1000,
    window: (seconds('window', request.windowSeconds, longest.window) || defaults.window) * 1000,
    revertWithin: revertWithin === 0 ? undefined : revertWithin * 1000,
    force: request.force,
    reason: checkedReason(request.reason),
    digest: request.planDigest,
  };
}

function seconds(what: string, asked: bigint, most: number): number {
  const value = Number(asked);
  if (value >= 0 && value <= most) return value;
  throw new CitadelError('InvalidArgument', `${what} must be from a second to ${most} seconds`);
}

function scopeFromWire(scope: wire.MutualTlsScope | undefined): ScopeQuery {
  const named = scope?.scope;
  if (named?.$case === 'mesh' && named.value) return { kind: 'mesh' };
  if (named?.$case === 'namespace') return { kind: 'namespace', namespace: checkedName(named.value) };
  if (named?.$case === 'workload') return { kind: 'workload', name: checkedName(named.value) };
  throw new CitadelError('InvalidArgument', 'name the mesh, a namespace or a workload');
}

function checkedName(name: string): string {
  if (name !== '' && name.length <= longestName) return name;
  throw new CitadelError('InvalidArgument', 'a name is empty or too long');
}

function planToWire({ workloads, withoutProxy, digest }: EnforcementPlan) {
  return {
    workloads: workloads.map(({ workload, verdict, reasons, ports, disabled, callers }) => ({
      workload,
      verdict,
      reasons: [...reasons],
      ports: [...ports],
      disabledPorts: [...disabled],
      callers: [...callers],
    })),
    withoutProxy: [...withoutProxy],
    planDigest: digest,
  };
}

function revertToWire({ workloads, orders }: RevertPlan): wire.RevertMutualTlsResponse {
  return { workloads: [...workloads], orders: orders.map((run) => runToWire({ ...run, waits: [] })) };
}

function runToWire(run: RunStatus): wire.Enforcement {
  const { id, state, startedAt, startedBy, reason, revertUntil, updatedAt, halt, waits } = run;
  return {
    id,
    scope: scopeText(run.scope),
    state,
    startedAt,
    startedBy,
    reason,
    revertUntil,
    steps: run.steps.map((step, index) => ({
      workload: step.workload,
      state: step.state,
      since: step.since,
      waitsFor: waits[index] ?? '',
      forced: step.forced,
    })),
    halt: halt && { ...halt },
    updatedAt,
    workloads: run.steps.length,
    done: run.steps.filter((step) => step.state === 'done').length,
  };
}
