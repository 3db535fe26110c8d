import { decisionMarker } from '../adapters/envoy/index.ts';
import { rulesVersions } from '../domain/records/index.ts';

/** Of policies that hold together: all that a decision by them may be recorded as decided by. */
export function rulesVersionsOf(
  settings: Parameters<typeof decisionMarker>[0],
): ReturnType<typeof rulesVersions> {
  return rulesVersions(decisionMarker(settings));
}
