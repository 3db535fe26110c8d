import { isAccepted, type MutualTlsStatus } from '../../../domain/evidence/index.ts';
import * as wire from '../../../gen/citadel/v1/operator.ts';
import { CitadelError } from '../../../kernel/index.ts';
import { needsControlPlane } from './needs-control-plane.ts';

export interface MutualTlsQuery {
  readonly namespace: string | undefined;
  readonly workload: string | undefined;
  /** Milliseconds. */
  readonly window: number;
}

export interface MutualTlsServices {
  /** Absent where this server has no control plane. */
  readonly mutualTls: ((query: MutualTlsQuery) => readonly MutualTlsStatus[]) | undefined;
}

const defaultWindow = 3600;
const longestWindow = 7 * 86_400;
const longestName = 1024;

export function getMutualTlsStatus(
  { mutualTls }: MutualTlsServices,
  { namespace, workload, windowSeconds }: wire.GetMutualTlsStatusRequest,
): wire.GetMutualTlsStatusResponse {
  const statusOf = needsControlPlane(mutualTls);
  const seconds = Number(windowSeconds);
  if (seconds < 0 || seconds > longestWindow)
    throw new CitadelError('InvalidArgument', 'the window must be from a second to 7 days');
  const found = statusOf({
    namespace: name(namespace),
    workload: name(workload),
    window: (seconds === 0 ? defaultWindow : seconds) * 1000,
  });
  return { workloads: found.map(statusToWire) };
}

function name(text: string): string | undefined {
  if (text.length > longestName) throw new CitadelError('InvalidArgument', 'a name is too long');
  return text === '' ? undefined : text;
}

function statusToWire(status: MutualTlsStatus): wire.MutualTlsStatus {
  return {
    workload: status.workload,
    namespace: status.namespace,
    name: status.name,
    ports: status.modes.map(({ port, wanted, policy, state, effective, detail }) => ({
      port,
      policyMode: policy,
      accepted: isAccepted(state),
      wantedMode: wanted,
      effectiveMode: effective ?? '',
      detail: detail ?? '',
    })),
    callers: status.callers.map(({ port, address, workloads, first, last, count }) => ({
      port,
      address,
      workloads: [...workloads],
      firstAt: first,
      lastAt: last,
      calls: BigInt(count),
    })),
    denials: status.denials.map(({ port, count, caller, last, transport, policy, reason }) => ({
      port,
      calls: BigInt(count),
      caller,
      lastAt: last,
      transport,
      policy: policy ?? '',
      reason: reason ?? '',
    })),
    completeSince: status.completeSince,
    strict: status.strict.state,
    reasons: [...status.strict.reasons],
    enforcedBy: status.enforcedBy ?? '',
  };
}
