import type { Workload } from '../mesh/index.ts';
import type { MutualTlsMode, PeerAuthentication, Policy } from './model.ts';

/** Placeholder until the policy engineer's lands. */
export function policiesOf(policies: readonly Policy[], workload: Workload, rootNamespace: string): Policy[] {
  return policies.filter(
    ({ meta, selector }) =>
      (meta.namespace === workload.namespace || meta.namespace === rootNamespace) &&
      Object.entries(selector ?? {}).every(([key, value]) => workload.labels[key] === value),
  );
}

export function mutualTlsModeOf(applying: readonly Policy[], port: number): Exclude<MutualTlsMode, 'UNSET'> {
  const peers = applying.filter(
    (policy): policy is PeerAuthentication => policy.kind === 'PeerAuthentication',
  );
  for (const policy of peers) {
    const mode = policy.portLevel.get(port) ?? policy.mode;
    if (mode !== 'UNSET') return mode;
  }
  return 'PERMISSIVE';
}
