/** Signs the certificates of our issuing authorities: our own root's key, or an authority of the user's own PKI. */
export interface UpstreamAuthority {
  /** For status and the audit record: `root`, `vault-pki`. */
  readonly kind: string;
  /** @throws CitadelError Unavailable when it cannot be reached; FailedPrecondition when what it signed is unfit. */
  signIssuingAuthority(request: IssuingAuthorityRequest): Promise<IssuingAuthorityChain>;
  /**
   * The root that it signs under, DER.
   * @throws CitadelError as signIssuingAuthority does
   */
  root(): Promise<Uint8Array>;
  check(signal?: AbortSignal): Promise<void>;
}

export interface IssuingAuthorityRequest {
  /** PKCS#10 DER, signed by the new authority's key. */
  readonly certificateRequest: Uint8Array;
  /** SPKI DER. */
  readonly publicKey: Uint8Array;
  readonly commonName: string;
  readonly notBefore: Date;
  readonly notAfter: Date;
}

export interface IssuingAuthorityChain {
  /** DER. */
  readonly certificate: Uint8Array;
  /** DER, from the issuer of `certificate` up to below the root. */
  readonly intermediates: readonly Uint8Array[];
  /** DER, self-signed. */
  readonly root: Uint8Array;
}
