import type { Policy } from '../policy/index.ts';
import type { Workload } from './model.ts';
import type { InboundPort } from './view.ts';

/** Stands for every port that has no entry of its own. */
export const anyOtherPort = 0;

/**
 * The ports that capture brings to a proxy though no registry declares them: those for which a policy sets a mode of
 * their own, and all others together. Nothing is known of their protocol, so they are bytes, and what policies say of HTTP
 * does not hold there. Ports that an AuthorizationPolicy names need no entry: filters compare the port that the caller
 * wanted.
 */
export function undeclaredPorts(
  { proxy, ports }: Workload,
  policies: readonly Policy[],
  judgement: string,
  modeOf: (port: number) => InboundPort['mode'],
): InboundPort[] {
  if (proxy !== 'capture') return [];
  const declared = new Set(ports.map(({ port }) => port));
  const named = [...new Set(policies.flatMap(portsWithMode))].filter((port) => !declared.has(port));
  return [...named.toSorted((a, b) => a - b), anyOtherPort].map((port) => ({
    port: { port, protocol: 'tcp', application: undefined },
    judgement,
    mode: modeOf(port),
  }));
}

/** Of all that hold for a workload one has such, and the reader bounds how many. */
function portsWithMode(policy: Policy): number[] {
  return policy.kind === 'PeerAuthentication' ? [...policy.portLevel.keys()] : [];
}
