import { anyOtherPort } from '../../../domain/mesh/index.ts';
import { inboundListeners } from '../../../domain/ports/index.ts';

/**
 * Names of resources. They show in Envoy's own statistics and logs, so they read as what they are; none changes when
 * its content does, so that an update is an update.
 */
export const names = {
  inboundListener: (port: number) => inboundListeners.ofPort(portName(port)),
  inboundCluster: (port: number) => `inbound/${portName(port)}`,
  egressListener: (address: string, port: number) => `egress/${address}/${port}`,
  outboundCluster: (service: string, port: number) => `outbound/${service}/${port}`,
  /** A filter by ECDS, the same for all ports; its configuration has the name of the filter. */
  filter: (layer: 'http' | 'tcp', name: string) => `inbound/${layer}/${name}`,
  captureInbound: inboundListeners.captured,
  captureOutbound: 'capture/outbound',
  /** Wherever the application wanted to go, as it is. */
  passthrough: 'passthrough',
  /** The endpoint that the application itself has chosen. */
  directCluster: (service: string, port: number) => `direct/${service}/${port}`,
  /** Routes of all services that share a port and have no address of their own. */
  outboundRoutes: (port: number) => `outbound/${port}`,
} as const;

function portName(port: number): number | 'other' {
  return port === anyOtherPort ? 'other' : port;
}
