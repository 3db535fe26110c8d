import type { Secret } from '../../kernel/index.ts';
import type { Principal } from '../identity/index.ts';

/** What a caller brought along as proof. */
export interface Credentials {
  /** The bearer token. */
  readonly token?: Secret<string>;
  /** The `clusterid` metadata; says which cluster's API server reviews the token. */
  readonly clusterId?: string;
  /** The client certificate chain, DER, leaf first. Not verified yet, but the handshake proved its key. */
  readonly clientCertificates?: readonly Uint8Array[];
}

/** One way to prove who a caller is. */
export interface Attestor {
  readonly name: string;
  /** Whether these credentials are of the kind that this attestor judges. */
  accepts(credentials: Credentials): boolean;
  /**
   * @throws CitadelError Unauthenticated when the proof does not hold; Unavailable when it could not be judged (and
   *   nobody is let in because of that)
   */
  attest(credentials: Credentials, signal: AbortSignal): Promise<Principal>;
}
