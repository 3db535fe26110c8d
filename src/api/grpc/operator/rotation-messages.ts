import type { ProxyState } from '../../../domain/mesh/index.ts';
import {
  type BoardLine,
  type BoardQuery,
  boardOf,
  type Gate,
  type PlannedRoot,
  type RotationBoard,
  type RotationPlan,
  type RotationStatus,
  standings,
} from '../../../domain/rotation/index.ts';
import * as wire from '../../../gen/citadel/v1/operator.ts';
import { CitadelError } from '../../../kernel/index.ts';
import { canaryToWire } from './canary.ts';

const longestFilter = 1024;
const defaultLimit = 100;
const mostListed = 1000;

/** Orders are answered with the stragglers that a person reads. */
export const shortBoard: BoardQuery = { filter: '', standing: undefined, limit: defaultLimit };

/** @throws CitadelError InvalidArgument */
export function boardQuery({ filter, standing, limit }: wire.GetRotationRequest): BoardQuery {
  if (filter.length > longestFilter) throw new CitadelError('InvalidArgument', 'the filter is too long');
  if (limit > mostListed)
    throw new CitadelError('InvalidArgument', `at most ${mostListed} proxies are listed; use the filter`);
  const known = standings.find((each) => each === standing);
  if (standing !== '' && known === undefined)
    throw new CitadelError('InvalidArgument', `the standing must be one of ${standings.join(', ')}`);
  return { filter, standing: known, limit: limit === 0 ? defaultLimit : limit };
}

/** @param streams to the control plane, which tell how an Envoy names itself */
export function statusToWire(
  status: RotationStatus,
  query: BoardQuery,
  streams: readonly ProxyState[],
): wire.RotationStatus {
  const { rotation, activeRoot, gate, obstacle, keysLeft } = status;
  const board = boardOf(status, query);
  return {
    id: rotation?.id ?? '',
    phase: rotation?.phase ?? '',
    phaseSince: rotation?.phaseSince,
    oldRoot: rotation?.oldRoot ?? '',
    newRoot: rotation?.newRoot ?? '',
    activeRoot,
    startedAt: rotation?.startedAt,
    startedBy: rotation?.startedBy ?? '',
    reason: rotation?.reason ?? '',
    algorithm: rotation?.algorithm ?? '',
    crossSigned: rotation?.crossSign ?? false,
    lifetimeSeconds: BigInt(Math.round((rotation?.lifetime ?? 0) / 1000)),
    words: (rotation?.words ?? []).map((word) => ({ ...word })),
    gate: gate && gateToWire(gate, board, streams),
    next: board.next,
    whyNot: [...board.whyNot],
    obstacle: obstacle ?? '',
    canary: rotation?.canary && canaryToWire(rotation.canary),
    keysLeft: keysLeft.map(({ backend, keyId, why }) => ({ keyHome: backend, keyId, why })),
  };
}

function gateToWire(
  { open, leaves, signing, canary }: Gate,
  board: RotationBoard,
  streams: readonly ProxyState[],
): wire.RotationGate {
  const listed = new Set(board.lines.map(({ proxy }) => proxy.proxyKey));
  const nodeIds = new Map(
    streams
      .filter(({ proxy }) => listed.has(proxy.proxyKey))
      .map(({ proxy }) => [proxy.proxyKey, proxy.nodeId] as const),
  );
  return {
    open,
    proxies: board.lines.map((line) => lineToWire(line, nodeIds.get(line.proxy.proxyKey) ?? '')),
    leaves: leaves.count,
    leavesUntil: leaves.lastNotAfter,
    signing: [...signing],
    live: board.live,
    counts: standings.map((standing) => ({ standing, count: board.counts[standing] })),
    stragglers: board.stragglers,
    unproven: board.unproven,
    matching: board.matching,
    lastRenewal: board.lastRenewal,
    halted: (canary?.halted ?? []).map(({ proxy }) => proxy.proxyKey),
    watchedUntil: canary?.until,
  };
}

function lineToWire(line: BoardLine, nodeId: string): wire.ProxyStanding {
  const { proxy, standing, detail, waited, unproven, bundleVersion, nackError, renewsBy, whatToDo } = line;
  return {
    proxyKey: proxy.proxyKey,
    spiffeId: proxy.spiffeId,
    standing,
    detail,
    waited,
    unproven,
    lastSeenAt: proxy.report?.lastSeenAt,
    principal: proxy.leaf.principal,
    nodeId,
    bundleVersion,
    nackError,
    renewsBy,
    whatToDo,
  };
}

export function planToWire(plan: RotationPlan): wire.PlanRotationResponse {
  return {
    phases: plan.phases.map((phase) => ({ ...phase })),
    token: plan.token,
    oldRoot: rootToWire(plan.oldRoot),
    newRoot: rootToWire(plan.newRoot),
    warnings: [...plan.warnings],
    unable: plan.unable.map((each) => ({ ...each })),
  };
}

function rootToWire(root: PlannedRoot): wire.PlannedRoot {
  return { ...root };
}
