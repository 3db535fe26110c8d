/**
 * How proxies call what they log to the server. One log name for all ports and chains: Envoy opens a stream for each
 * logger's configuration and worker thread, so that what differs by port and chain is told in each entry instead.
 */
export const accessLogName = 'citadel/inbound';

/** What each entry carries besides the connection's addresses; absent where Envoy knows nothing of it. */
export const accessLogTags = {
  /** Of the filter chain that took the connection; absent when none did. */
  chain: 'chain',
  method: 'method',
  /** Without the query, which may hold secrets. */
  path: 'path',
  host: 'host',
  /** Why a response is what it is: `via_upstream`, `rbac_access_denied_matched_policy[...]`. */
  details: 'details',
  /** By which a denied caller can ask about the denial. */
  denial: 'denial',
} as const;

/**
 * The response header of a denial, and its opaque name: of 122 random bits that the proxy draws for this one answer. A
 * caller learns nothing from it, and cannot choose it, as it can `x-request-id`.
 */
export const denialHeader = 'x-citadel-denial';

/**
 * Milliseconds between two words of a connection or request without mutual TLS that goes on: what began long ago and is
 * still there is a call of now.
 */
export const accessLogPeriod = 8_000;

/** The chains of an inbound port; that of a captured one has its port before, as in `inbound/8080/plaintext`. */
export const inboundChains = {
  mutualTls: 'mutual-tls',
  /** TLS in a strict port of a caller that does not say it is of the mesh. */
  mutualTlsOther: 'mutual-tls-other',
  plaintext: 'plaintext',
  /** The application's own TLS, which the proxy does not end. */
  otherTls: 'tls-passthrough',
  /** Who connects to a capture port itself has called nobody: nothing of it is logged. */
  refused: 'refused',
} as const;
