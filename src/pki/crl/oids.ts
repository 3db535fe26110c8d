/** Extensions of a CRL and of its entries (RFC 5280, 5.2 and 5.3). */
export const crlOids = {
  authorityKeyIdentifier: '2.5.29.35',
  cRLNumber: '2.5.29.20',
  reasonCode: '2.5.29.21',
} as const;
