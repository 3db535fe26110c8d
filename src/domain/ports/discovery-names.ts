/** The cluster by which an Envoy reaches the agent beside it; the agent writes it into the bootstrap. */
export const agentCluster = 'citadel_agent';

/** The cluster by which an Envoy reaches the server, for discovery and for its access log; of the bootstrap too. */
export const serverCluster = 'citadel_server';

/** The listeners at which a workload is called. */
export const inboundListeners = {
  ofPort: (port: number | 'other') => `inbound/${port}`,
  captured: 'capture/inbound',
} as const;

/** The names under which the agent serves its own certificate and the trust bundle (Istio's own). */
export const sdsNames = { certificate: 'default', bundle: 'ROOTCA' } as const;
