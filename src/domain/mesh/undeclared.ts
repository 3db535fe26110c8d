import { mutualTlsModeOf, type Policy } from '../policy/index.ts';
import type { Workload } from './model.ts';
import type { InboundPort } from './view.ts';

/** Stands for every port that has no entry of its own. */
export const anyOtherPort = 0;

/**
 * The ports that capture brings to a proxy though no registry declares them: those that policies name, and all others
 * together. Nothing is known of their protocol, so they are bytes, and what policies say of HTTP does not hold there.
 */
export function undeclaredPorts(
  { proxy, ports }: Workload,
  policies: readonly Policy[],
  judgement: string,
): InboundPort[] {
  if (proxy !== 'capture') return [];
  const declared = new Set(ports.map(({ port }) => port));
  const named = [...new Set(policies.flatMap(portsNamedBy))].filter((port) => !declared.has(port));
  return [...named.toSorted((a, b) => a - b), anyOtherPort].map((port) => ({
    port: { port, protocol: 'tcp', application: undefined },
    judgement,
    mode: mutualTlsModeOf(policies, port),
  }));
}

function portsNamedBy(policy: Policy): number[] {
  if (policy.kind === 'PeerAuthentication') return [...policy.portLevel.keys()];
  if (policy.kind !== 'AuthorizationPolicy') return [];
  return policy.rules
    .flatMap(({ to, when }) => [
      ...to.flatMap(({ ports, notPorts }) => [...ports, ...notPorts]),
      ...when
        .filter(({ key }) => key === 'destination.port')
        .flatMap(({ values, notValues }) => [...values, ...notValues]),
    ])
    .filter((text) => /^\d{1,5}$/.test(text))
    .map(Number)
    .filter((port) => port > 0 && port <= 65_535);
}
