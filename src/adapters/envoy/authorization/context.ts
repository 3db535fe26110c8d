import type { AuthorizationProvider } from '../../../domain/mesh/index.ts';

/** What the meaning of a policy depends on besides its text. */
export interface AuthorizationContext {
  readonly trustDomain: string;
  readonly trustDomainAliases: readonly string[];
  readonly providers: readonly AuthorizationProvider[];
  /** The cluster by which this proxy reaches a provider. */
  readonly providerCluster: (provider: AuthorizationProvider) => string;
  /**
   * The port that callers mean, where the proxy's own listener has another; without it the connection's own
   * destination, as it is where connections are captured.
   */
  readonly port?: number | undefined;
}
