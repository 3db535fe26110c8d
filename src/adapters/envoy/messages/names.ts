/**
 * Names of resources. They show in Envoy's own statistics and logs, so they read as what they are; none changes when
 * its content does, so that an update is an update.
 */
export const names = {
  inboundListener: (port: number) => `inbound/${port}`,
  inboundCluster: (port: number) => `inbound/${port}`,
  egressListener: (address: string, port: number) => `egress/${address}/${port}`,
  outboundCluster: (service: string, port: number) => `outbound/${service}/${port}`,
  /** A filter by ECDS; its configuration has the name of the filter. */
  filter: (port: number, layer: 'http' | 'tcp', step: FilterStep) => `inbound/${port}/${layer}/${step}`,
} as const;

/** What a filter does, in the order in which a request passes them. */
export type FilterStep = 'authentication' | 'custom' | 'authorizer' | 'audit' | 'deny' | 'allow';
