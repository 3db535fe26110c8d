import type { Denials } from '../../../domain/denials/index.ts';
import type * as wire from '../../../gen/citadel/v1/operator.ts';
import { CitadelError } from '../../../kernel/index.ts';
import { needsControlPlane } from './needs-control-plane.ts';

export interface DenialServices {
  /** Absent where this server has no control plane. */
  readonly denials: Pick<Denials, 'get'> | undefined;
}

const longestId = 64;

export function getDenial({ denials }: DenialServices, { id }: wire.GetDenialRequest): wire.Denial {
  const known = needsControlPlane(denials);
  if (id === '' || id.length > longestId)
    throw new CitadelError(
      'InvalidArgument',
      'the name of a denial is that of its response header x-citadel-denial',
    );
  const record = known.get(id);
  if (!record)
    throw new CitadelError(
      'NotFound',
      'no such denial is known: a proxy tells of one within a second, to the server that it is connected to, which keeps the last of each caller in memory for a day; bring it about again',
    );
  const { entry, policiesVersion = '' } = record;
  const { denial } = entry;
  return {
    id: denial.id,
    at: entry.at,
    workload: entry.workload,
    port: entry.port,
    transport: entry.transport,
    callerId: entry.callerId ?? '',
    callerAddress: entry.callerAddress,
    remoteAddress: denial.remoteAddress ?? '',
    calleeAddress: denial.calleeAddress ?? '',
    sni: entry.serverName ?? '',
    method: entry.method ?? '',
    path: entry.path ?? '',
    host: entry.host ?? '',
    inexact: [...denial.inexact],
    step: denial.step,
    policy: entry.policy ?? '',
    rule: entry.rule ?? 0,
    reason: entry.reason ?? '',
    policiesVersion,
  };
}
