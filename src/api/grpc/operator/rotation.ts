import type { OperatorCaller } from '../../../domain/operators/index.ts';
import type { RotationPhase } from '../../../domain/ports/index.ts';
import type { Gate, RotationService, RotationStatus } from '../../../domain/rotation/index.ts';
import * as wire from '../../../gen/citadel/v1/operator.ts';
import { CitadelError } from '../../../kernel/index.ts';
import { type KeyAlgorithm, keyAlgorithms } from '../../../pki/index.ts';
import { checkedReason } from './messages.ts';

export interface RotationServices {
  readonly rotation: RotationService;
}

const longestKey = 1024;
const phases: readonly RotationPhase[] = ['prepare', 'distribute', 'drain', 'retire', 'undo'];

export async function getRotation({ rotation }: RotationServices): Promise<wire.RotationStatus> {
  return statusToWire(await rotation.status());
}

export async function planRotation({ rotation }: RotationServices): Promise<wire.PlanRotationResponse> {
  return { phases: (await rotation.plan()).map((phase) => ({ ...phase })) };
}

export async function startRotation(
  { rotation }: RotationServices,
  { reason, oldRoot, algorithm, lifetimeSeconds }: wire.StartRotationRequest,
  caller: OperatorCaller,
): Promise<wire.RotationStatus> {
  const chosen = keyAlgorithm(algorithm);
  if (lifetimeSeconds < 0n || lifetimeSeconds > BigInt(mostLifetime / 1000))
    throw new CitadelError('InvalidArgument', 'a root may live for 30 years at most');
  return statusToWire(
    await rotation.start({
      ...order(caller, reason),
      oldRoot,
      ...(chosen === undefined ? {} : { algorithm: chosen }),
      ...(lifetimeSeconds === 0n ? {} : { lifetime: Number(lifetimeSeconds) * 1000 }),
    }),
  );
}

export async function continueRotation(
  { rotation }: RotationServices,
  { reason, phase, force }: wire.ContinueRotationRequest,
  caller: OperatorCaller,
): Promise<wire.RotationStatus> {
  if (force && reason === '') throw new CitadelError('InvalidArgument', 'force needs a reason');
  return statusToWire(
    await rotation.continue({ ...order(caller, reason), phase: rotationPhase(phase), force }),
  );
}

export async function excuseProxy(
  { rotation }: RotationServices,
  { reason, proxyKey }: wire.ExcuseProxyRequest,
  caller: OperatorCaller,
): Promise<wire.RotationStatus> {
  if (reason === '') throw new CitadelError('InvalidArgument', 'to excuse a proxy needs a reason');
  if (proxyKey === '' || proxyKey.length > longestKey)
    throw new CitadelError('InvalidArgument', 'name the proxy by its key, as the status has it');
  return statusToWire(await rotation.excuse({ ...order(caller, reason), proxyKey }));
}

export async function abortRotation(
  { rotation }: RotationServices,
  { reason, phase }: wire.AbortRotationRequest,
  caller: OperatorCaller,
): Promise<wire.RotationStatus> {
  return statusToWire(await rotation.abort({ ...order(caller, reason), phase: rotationPhase(phase) }));
}

const mostLifetime = 30 * 365 * 86_400_000;

function order({ subject, proof }: OperatorCaller, reason: string) {
  return { by: subject, proof, reason: checkedReason(reason) };
}

function keyAlgorithm(text: string): KeyAlgorithm | undefined {
  if (text === '') return undefined;
  const known = keyAlgorithms.find((algorithm) => algorithm === text);
  if (!known)
    throw new CitadelError('InvalidArgument', `the algorithm must be one of ${keyAlgorithms.join(', ')}`);
  return known;
}

function rotationPhase(text: string): RotationPhase {
  // As the status has it where there is none, or none any more.
  if (text === '' || text === 'done' || text === 'aborted')
    throw new CitadelError('FailedPrecondition', 'no rotation is under way');
  const known = phases.find((phase) => phase === text);
  if (!known) throw new CitadelError('InvalidArgument', `the phase must be one of ${phases.join(', ')}`);
  return known;
}

function statusToWire({ rotation, activeRoot, gate }: RotationStatus): wire.RotationStatus {
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
    words: (rotation?.words ?? []).map((word) => ({ ...word })),
    gate: gate && gateToWire(gate),
  };
}

function gateToWire({ open, standings, stragglers, unproven, leaves }: Gate): wire.RotationGate {
  const waited = new Set([...stragglers, ...unproven]);
  const needsWord = new Set(unproven);
  const sorted = standings.toSorted((a, b) => Number(waited.has(b)) - Number(waited.has(a)));
  return {
    open,
    proxies: sorted.map((each) => ({
      proxyKey: each.proxy.proxyKey,
      spiffeId: each.proxy.spiffeId,
      standing: each.standing,
      detail: each.detail,
      waited: waited.has(each),
      unproven: needsWord.has(each),
      lastSeenAt: each.proxy.report?.lastSeenAt,
    })),
    leaves: leaves.count,
    leavesUntil: leaves.lastNotAfter,
  };
}
