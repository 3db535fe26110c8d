import type * as wire from '../../../gen/citadel/v1/operator.ts';
import { needsControlPlane } from './needs-control-plane.ts';
import { type PolicyServices, versionToWire } from './policies.ts';

export async function* getStoredPolicies(
  services: PolicyServices,
  { revision: asked }: wire.GetStoredPoliciesRequest,
): AsyncIterable<wire.GetStoredPoliciesResponse> {
  const { revision, policies } = await needsControlPlane(services.policies).kept(
    asked === undefined ? undefined : Number(asked),
  );
  yield { revision: BigInt(revision), policy: undefined, since: 0n };
  for (const policy of policies)
    yield {
      revision: BigInt(revision),
      policy: versionToWire(policy),
      since: BigInt(policy.revision),
    };
}
