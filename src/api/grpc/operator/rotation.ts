import type { ProxyState } from '../../../domain/mesh/index.ts';
import type { OperatorCaller } from '../../../domain/operators/index.ts';
import type { RotationPhase } from '../../../domain/ports/index.ts';
import type { RotationService, RotationStatus, WantedRoot } from '../../../domain/rotation/index.ts';
import type * as wire from '../../../gen/citadel/v1/operator.ts';
import { CitadelError } from '../../../kernel/index.ts';
import { type KeyAlgorithm, keyAlgorithms } from '../../../pki/index.ts';
import { readCanaryOrder } from './canary.ts';
import { checkedReason } from './messages.ts';
import { boardQuery, planToWire, shortBoard, statusToWire } from './rotation-messages.ts';

export interface RotationServices {
  readonly rotation: RotationService;
  /** Streams to the control plane. */
  readonly discovery: () => readonly ProxyState[];
}

const longestKey = 1024;
const phases: readonly RotationPhase[] = ['prepare', 'canary', 'distribute', 'drain', 'retire', 'undo'];

export async function getRotation(
  { rotation, discovery }: RotationServices,
  request: wire.GetRotationRequest,
): Promise<wire.RotationStatus> {
  const query = boardQuery(request);
  return statusToWire(await rotation.status(), query, discovery());
}

export async function planRotation(
  { rotation }: RotationServices,
  request: wire.PlanRotationRequest,
): Promise<wire.PlanRotationResponse> {
  const { canary } = request;
  return planToWire(
    await rotation.plan({ ...wantedRoot(request), ...(canary ? { canary: readCanaryOrder(canary) } : {}) }),
  );
}

export async function startRotation(
  services: RotationServices,
  { reason, oldRoot, plan, canary, force, withoutCrls, ...wanted }: wire.StartRotationRequest,
  caller: OperatorCaller,
): Promise<wire.RotationStatus> {
  if (force && reason.trim() === '') throw new CitadelError('InvalidArgument', 'force needs a reason');
  if (withoutCrls && reason.trim() === '')
    throw new CitadelError('InvalidArgument', 'without-crls needs a reason');
  const ordered = {
    ...order(caller, reason),
    ...wantedRoot(wanted),
    oldRoot,
    force,
    withoutCrls,
    ...(plan === '' ? {} : { plan }),
    ...(canary ? { canary: readCanaryOrder(canary) } : {}),
  };
  return answer(services, await services.rotation.start(ordered));
}

export async function continueRotation(
  services: RotationServices,
  { reason, phase, force, leaveKey, destroyImportedKey }: wire.ContinueRotationRequest,
  caller: OperatorCaller,
): Promise<wire.RotationStatus> {
  for (const [word, said] of Object.entries({
    force,
    'leave-key': leaveKey,
    'destroy-imported-key': destroyImportedKey,
  }))
    if (said && reason.trim() === '') throw new CitadelError('InvalidArgument', `${word} needs a reason`);
  const ordered = {
    ...order(caller, reason),
    phase: rotationPhase(phase),
    force,
    leaveKey,
    destroyImportedKey,
  };
  return answer(services, await services.rotation.continue(ordered));
}

export async function excuseProxy(
  services: RotationServices,
  { reason, proxyKey }: wire.ExcuseProxyRequest,
  caller: OperatorCaller,
): Promise<wire.RotationStatus> {
  if (reason.trim() === '') throw new CitadelError('InvalidArgument', 'to excuse a proxy needs a reason');
  if (proxyKey === '' || proxyKey.length > longestKey)
    throw new CitadelError('InvalidArgument', 'name the proxy by its key, as the status has it');
  return answer(services, await services.rotation.excuse({ ...order(caller, reason), proxyKey }));
}

export async function abortRotation(
  services: RotationServices,
  { reason, phase }: wire.AbortRotationRequest,
  caller: OperatorCaller,
): Promise<wire.RotationStatus> {
  const ordered = { ...order(caller, reason), phase: rotationPhase(phase) };
  return answer(services, await services.rotation.abort(ordered));
}

function answer({ discovery }: RotationServices, status: RotationStatus): wire.RotationStatus {
  return statusToWire(status, shortBoard, discovery());
}

const mostLifetime = 30 * 365 * 86_400_000;

export function order({ subject, proof }: OperatorCaller, reason: string) {
  return { by: subject, proof, reason: checkedReason(reason) };
}

/** @throws CitadelError InvalidArgument */
export function wantedRoot({
  algorithm,
  lifetimeSeconds,
  crossSign,
  from,
}: Pick<wire.StartRotationRequest, 'algorithm' | 'lifetimeSeconds' | 'crossSign' | 'from'>): WantedRoot {
  const chosen = keyAlgorithm(algorithm);
  if (lifetimeSeconds < 0n || lifetimeSeconds > BigInt(mostLifetime / 1000))
    throw new CitadelError('InvalidArgument', 'a root may live for 30 years at most');
  if (from !== '' && from !== 'existing' && from !== 'upstream')
    throw new CitadelError(
      'InvalidArgument',
      'a new root is from existing or from upstream, or is made here',
    );
  return {
    crossSign,
    ...(from === '' ? {} : { from }),
    ...(chosen === undefined ? {} : { algorithm: chosen }),
    ...(lifetimeSeconds === 0n ? {} : { lifetime: Number(lifetimeSeconds) * 1000 }),
  };
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
