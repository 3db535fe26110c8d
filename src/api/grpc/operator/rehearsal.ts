import type { OperatorCaller } from '../../../domain/operators/index.ts';
import type { Rehearsal } from '../../../domain/rotation/index.ts';
import type * as wire from '../../../gen/citadel/v1/operator.ts';
import { CitadelError } from '../../../kernel/index.ts';
import { order, wantedRoot } from './rotation.ts';

export interface RehearsalServices {
  readonly rehearsal: Rehearsal;
}

export async function rehearseRotation(
  { rehearsal }: RehearsalServices,
  { reason, algorithm, from }: wire.RehearseRotationRequest,
  caller: OperatorCaller,
): Promise<wire.RehearseRotationResponse> {
  const wanted = wantedRoot({ algorithm, lifetimeSeconds: 0n, crossSign: false, from });
  if (wanted.from !== undefined && algorithm !== '')
    throw new CitadelError(
      'InvalidArgument',
      'a root that others have made has its own key: leave out algorithm',
    );
  const { steps, ok } = await rehearsal.rehearse({ ...order(caller, reason), ...wanted });
  return { ok, steps: steps.map((step) => ({ ...step })) };
}
