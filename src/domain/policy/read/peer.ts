import { z } from 'zod';
import { mend } from '../../../yaml/index.ts';
import type { PeerAuthentication } from '../model.ts';
import type { ReadMeta } from './metadata.ts';
import { readSelector, selector } from './target.ts';
import { faultOfPort, limits } from './values.ts';

const mutualTls = z.strictObject({ mode: z.enum(['UNSET', 'DISABLE', 'PERMISSIVE', 'STRICT']).optional() });

export const peerSpec = z
  .strictObject({
    selector: selector().optional(),
    mtls: mutualTls.optional(),
    portLevelMtls: z.record(z.string(), mutualTls).optional(),
  })
  .superRefine(({ selector: given, portLevelMtls }, context) => {
    if (portLevelMtls === undefined) return;
    const refuse = (path: readonly string[], message: string, how: string) =>
      context.addIssue({ code: 'custom', path: ['portLevelMtls', ...path], message, ...mend(how) });
    const ports = Object.keys(portLevelMtls);
    if (ports.length === 0) refuse([], 'must not be empty', 'leave the key out');
    if (ports.length > 0 && !readSelector(given))
      refuse(
        [],
        'modes of ports need a selector: ports are a workload’s own',
        'add selector.matchLabels, or set mtls.mode for all ports',
      );
    if (ports.length > limits.portModes) {
      refuse(
        [],
        `must not hold more than ${limits.portModes} ports`,
        'set mtls.mode for all ports, and name those alone that differ',
      );
      return;
    }
    for (const port of ports) {
      // Without zeros in front: two keys must not be one port.
      if (faultOfPort(port) || !/^[1-9]/.test(port))
        refuse([port], `${JSON.stringify(port)} is no port`, 'name a port of the workload, from 1 to 65535');
    }
  });

export function readPeerAuthentication(
  { meta }: ReadMeta,
  spec: z.output<typeof peerSpec>,
): PeerAuthentication {
  return {
    kind: 'PeerAuthentication',
    meta,
    selector: readSelector(spec.selector),
    mode: spec.mtls?.mode ?? 'UNSET',
    portLevel: new Map(
      Object.entries(spec.portLevelMtls ?? {})
        .map(([port, { mode = 'UNSET' }]) => [Number(port), mode] as const)
        .toSorted(([a], [b]) => a - b),
    ),
  };
}
