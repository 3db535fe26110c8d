import type { KeyUsage } from '../certificate/index.ts';

/** What a kind of leaf certificate carries, as data: the encoder writes it, the lint holds what was written against it. */
export interface LeafProfile {
  readonly name: string;
  readonly keyUsage: readonly KeyUsage[];
  readonly extendedKeyUsage: readonly ('serverAuth' | 'clientAuth')[];
  /** Whether it may name DNS names and IP addresses beside its SPIFFE ID. */
  readonly allowsHosts: boolean;
}

/**
 * A workload's X509-SVID (SPIFFE X509-SVID, 2 to 4): empty subject, so that the SAN is critical (RFC 5280, 4.2.1.6);
 * one URI SAN; CA:FALSE; digitalSignature, critical.
 */
export const svidProfile: LeafProfile = {
  name: 'svid',
  keyUsage: ['digitalSignature'],
  extendedKeyUsage: ['serverAuth', 'clientAuth'],
  allowsHosts: false,
};

/** The server's own TLS certificate: an X509-SVID that also names the hosts by which clients call it. */
export const servingProfile: LeafProfile = {
  name: 'serving',
  keyUsage: ['digitalSignature'],
  extendedKeyUsage: ['serverAuth', 'clientAuth'],
  allowsHosts: true,
};
