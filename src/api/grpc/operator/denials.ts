import { isIP } from 'node:net';
import type { DenialRecord, Denials } from '../../../domain/denials/index.ts';
import type * as wire from '../../../gen/citadel/v1/operator.ts';
import { CitadelError } from '../../../kernel/index.ts';
import { needsControlPlane } from './needs-control-plane.ts';

export interface DenialServices {
  /** Absent where this server has no control plane. */
  readonly denials: Pick<Denials, 'get' | 'find'> | undefined;
}

const longestId = 64;
const longestName = 2048;
const defaultPageSize = 100;
const maximumPageSize = 1000;

export async function getDenial(
  { denials }: DenialServices,
  { id }: wire.GetDenialRequest,
): Promise<wire.Denial> {
  const known = needsControlPlane(denials);
  if (id === '' || id.length > longestId)
    throw new CitadelError(
      'InvalidArgument',
      'the name of a denial is that of its response header x-citadel-denial',
    );
  const record = await known.get(id);
  if (!record)
    throw new CitadelError(
      'NotFound',
      'no such denial is known: a proxy tells of one within a second, and the last of each caller are kept for a day; bring it about again, or look for one like it with citadel policy denials',
    );
  return denialToWire(record);
}

export async function listDenials(
  { denials }: DenialServices,
  { to, from, since, pageSize, pageToken }: wire.ListDenialsRequest,
): Promise<wire.ListDenialsResponse> {
  const known = needsControlPlane(denials);
  if (to.length > longestName || from.length > longestName)
    throw new CitadelError('InvalidArgument', 'too long a name');
  const page = await known.find({
    ...(to === '' ? {} : { to }),
    ...(from === '' ? {} : { from: callerFrom(from) }),
    ...(since ? { since } : {}),
    limit: pageSize <= 0 ? defaultPageSize : Math.min(pageSize, maximumPageSize),
    ...(pageToken === '' ? {} : { pageToken }),
  });
  return { denials: page.items.map(denialToWire), nextPageToken: page.nextPageToken ?? '' };
}

/** @throws CitadelError InvalidArgument */
function callerFrom(text: string): string {
  if (text === 'plaintext') return '';
  if (text.startsWith('spiffe://') || isIP(text) !== 0 || /^[^/]+\/[^/]+$/.test(text)) return text;
  throw new CitadelError(
    'InvalidArgument',
    'a caller is a SPIFFE ID, NAMESPACE/SERVICE-ACCOUNT, an address, or plaintext',
  );
}

function denialToWire({ entry, policiesVersion = '', decidedBy }: DenialRecord): wire.Denial {
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
    rules: decidedBy?.rules ?? '',
    revision: decidedBy?.revision ?? 0,
  };
}
