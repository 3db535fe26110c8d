import { forWorkload, SpiffeId, TrustDomain } from '@citadel/spiffe';
import { CitadelError } from '../../../../kernel/index.ts';
import type { Workload } from '../../../mesh/index.ts';
import type { PolicyWorld } from '../../world/index.ts';

/** Who calls. */
export interface Caller {
  /** The SPIFFE ID that its certificate has; undefined: it has none. */
  readonly identity: string | undefined;
  /** Workloads of this identity; none where the caller is of another mesh, or of no registry. */
  readonly workloads: readonly Workload[];
}

/**
 * Whom a text means: `plaintext`, a SPIFFE ID, `<namespace>/<service account>`, or a workload's id.
 * @throws CitadelError OutOfRange for what is none of these
 */
export function callerOf({ settings, workloads }: PolicyWorld, text: string): Caller {
  if (text === 'plaintext') return { identity: undefined, workloads: [] };
  const workload = workloads.get(text);
  const [trustDomain, ...aliases] = [settings.trustDomain, ...settings.trustDomainAliases].map((name) =>
    TrustDomain.parse(name),
  );
  if (!trustDomain) throw new CitadelError('Internal', 'a world without a trust domain');
  const idsOf = ({ namespace, serviceAccount }: Workload) =>
    [trustDomain, ...aliases].map((domain) => forWorkload(domain, namespace, serviceAccount).toString());
  if (workload) return { identity: idsOf(workload)[0], workloads: [workload] };
  const identity = identityOf(trustDomain, text);
  return { identity, workloads: [...workloads.values()].filter((each) => idsOf(each).includes(identity)) };
}

function identityOf(trustDomain: TrustDomain, text: string): string {
  try {
    if (text.startsWith('spiffe://')) return SpiffeId.parse(text).toString();
    const [namespace, serviceAccount, ...more] = text.split('/');
    if (namespace !== undefined && serviceAccount !== undefined && more.length === 0)
      return forWorkload(trustDomain, namespace, serviceAccount).toString();
  } catch (cause) {
    throw new CitadelError(
      'OutOfRange',
      `${text} is no SPIFFE ID: ${cause instanceof Error ? cause.message : ''}`,
      {
        cause,
      },
    );
  }
  throw new CitadelError(
    'OutOfRange',
    `${JSON.stringify(text)} names no caller; write a SPIFFE ID, NAMESPACE/SERVICE-ACCOUNT, a workload's id, or plaintext`,
  );
}
