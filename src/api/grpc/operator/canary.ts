import type { RotationCanary } from '../../../domain/ports/index.ts';
import type { CanaryOrder } from '../../../domain/rotation/index.ts';
import type * as wire from '../../../gen/citadel/v1/operator.ts';
import { CitadelError } from '../../../kernel/index.ts';

/** Longer than anybody would wait for one step; a root lives far longer. */
const longestWatch = 30 * 86_400;

/** @throws CitadelError InvalidArgument; what the selectors mean is the rotation's to say */
export function readCanaryOrder(order: wire.CanaryOrder): CanaryOrder {
  const { selectors, watchSeconds, allowedFailures, auto } = order;
  if (selectors.length === 0) throw new CitadelError('InvalidArgument', 'the canary names nobody');
  if (watchSeconds < 0n || watchSeconds > BigInt(longestWatch))
    throw new CitadelError('InvalidArgument', 'a canary may be watched for 30 days at most');
  return {
    selectors,
    allowedFailures,
    auto,
    ...(watchSeconds === 0n ? {} : { watch: Number(watchSeconds) * 1000 }),
  };
}

export function canaryToWire({ selectors, watch, allowedFailures, auto }: RotationCanary): wire.CanaryOrder {
  return { selectors: [...selectors], watchSeconds: BigInt(Math.ceil(watch / 1000)), allowedFailures, auto };
}
