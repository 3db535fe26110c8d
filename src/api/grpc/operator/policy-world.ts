import { formatWorld, type PolicyWorld } from '../../../domain/policy/index.ts';
import type * as wire from '../../../gen/citadel/v1/operator.ts';
import { CitadelError, once } from '../../../kernel/index.ts';
import { chunks } from './chunks.ts';

export interface PolicyWorldServices {
  /** What holds now; undefined where this server has no control plane, or does not know it yet. */
  readonly policyWorld: () => PolicyWorld | undefined;
}

/** Of one moment: written once for all that ask before the next change. */
const written = once((world: PolicyWorld) => Buffer.from(formatWorld(world)));

export function getPolicyWorld({
  policyWorld,
}: PolicyWorldServices): AsyncIterable<wire.GetPolicyWorldResponse> {
  const world = policyWorld();
  if (world) return chunks([written(world)]);
  throw new CitadelError(
    'FailedPrecondition',
    'this server has no control plane (mesh), or does not know yet what holds',
  );
}
