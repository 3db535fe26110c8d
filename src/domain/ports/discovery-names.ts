/** The cluster by which an Envoy reaches the agent beside it; the agent writes it into the bootstrap. */
export const agentCluster = 'citadel_agent';

/** The cluster by which an Envoy reaches the server, for discovery and for its access log; of the bootstrap too. */
export const serverCluster = 'citadel_server';

/** The listeners at which a workload is called. */
export const inboundListeners = {
  ofPort: (port: number | 'other') => `inbound/${port}`,
  captured: 'capture/inbound',
} as const;

/** The filters that hold what is tried and nothing of what is enforced, whose resources' names end in these. */
export const trialFilters = { deny: 'citadel.shadow.deny', allow: 'citadel.shadow.allow' } as const;

/** Of secrets: the one type of which no proxy must have what there is; it is given what it asks for. */
export const secretTypeUrl = 'type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.Secret';

/**
 * Names of secrets (the first two are Istio's own): the agent's own certificate, its trust domain's bundle, all bundles
 * each for its own trust domain, and that of one trust domain. Of the server a proxy gets all but the first.
 */
export const sdsNames = {
  certificate: 'default',
  bundle: 'ROOTCA',
  allBundles: 'ALL',
  ofTrustDomain: (name: string) => `spiffe://${name}`,
} as const;
